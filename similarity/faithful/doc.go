// Package faithful tells whether a quantised tensor is what its quantiser makes
// of a source: block for block the same bytes, or at least a choice that the
// quantiser's search can come to, or neither, with the place and the size of what
// deviates.
//
// A quantiser without a search leaves one answer. One that searches a scale leaves
// one too, as long as nothing but the values enters; where the importance of
// columns enters that nobody shows, the scale is open, but the codes still follow
// from the scale that is stored. The rules are those of ggml-quants.c; docs/FAITHFUL.md
// has them type by type, with what each of them can see.
package faithful
