// Package architecture measures how the build of two networks differs: their
// numbers of layers, units, heads and vocabulary rows, what the larger one has
// more, and what was done to norm weights and heads without changing the
// function.
package architecture
