// Package relabel puts the hidden units of a network of unknown architecture into the
// order of another one's.
//
// The order of hidden units is free: a copy whose units were permuted computes the
// same, and tests on labels do not see it. Where no role is known, the rows of each
// matrix are assigned to the rows that are most like them, the surest matrix first, and
// the assignment is tried on the columns of all that may read them (weight matching
// after Ainsworth et al., Git Re-Basin, arXiv 2209.04836). Which matrix reads which is
// not taken from names or order: the order of inputs is taken under which rows
// are most alike. Rows and inputs are balanced to one length as well as taken as stored,
// which undoes scales that were moved from one matrix to another.
//
// An assignment is a choice, and a choice makes strangers look alike. So nothing
// that is read off the result may rest on labels; how alike choosing makes
// independent networks, [github.com/weightprint/weightprint/similarity/stats.Arrangement]
// bounds. Beyond that bound a task may still determine the units of a small network, so
// that two trainings come to the same ones (two networks that learn one teacher of their
// size do): only equal values show a common origin. [Moved] counts them.
package relabel
