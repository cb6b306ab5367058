// Package align says which parts of two networks are held against each other:
// towers, layers, heads, matrices and tokens of A with those of B. It also
// keeps the account of how many bytes of each network may still be read.
package align
