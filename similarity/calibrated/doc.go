// Package calibrated holds the tests without a closed-form null. Networks
// trained alike resemble one another in all of them, so each score is held
// against a control population of networks that are known to be unrelated, or to
// share no more than their random initialisation.
//
//   - Agreement: do two independent views of a unit point to the same partner?
//     Each hidden unit is seen twice, through what it reads by its gate and by
//     its up matrix. Units of a copy find the same partner both ways, whatever
//     function-preserving disguise lies between; units of strangers rarely do.
//   - Invariants: quantities that no function-preserving change of an attention
//     head or of the residual stream alters. Those on heads need neither tokens
//     nor units in any order, and so reach models whose embeddings were replaced
//     or whose vocabulary was shuffled.
//   - Learned: the leading subspaces of matrices and the weights of norms tell
//     a shared random initialisation from derivation.
package calibrated
