// Package roles tells which tensor plays which part in a network, whatever
// the file format and the naming habit of the tool that wrote it, and undoes
// the layouts that stand between two spellings of the same weights: fused and
// interleaved matrices, transposed kernels, stacked experts, permuted rotary
// rows, gains stored as 1+γ.
//
//	model (tensor.Model) → Map → Network: towers → layers → matrices (views)
//
// It reads names, shapes and declared metadata, never values, and it judges
// nothing: a name is a hint about where to look, not evidence. A tensor whose
// name is not known still becomes a generic matrix, so that any network can
// be compared.
package roles
