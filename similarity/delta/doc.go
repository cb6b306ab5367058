// Package delta looks at what changed between matrices in the same role,
// value by value: nothing, a rounding to another type, a quantisation on a
// lattice, a mask, a noise, a low rank. It says how, never whether two
// networks are related: equal roles are its premise.
package delta
