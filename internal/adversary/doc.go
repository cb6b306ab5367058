// Package adversary holds those who cheat: they make files that look related, or
// unrelated, or like an ancestor, when they are not. Each attack works on a real
// network with the other side's network in sight, keeps what the network computes
// unless it says otherwise, and is deterministic by seed.
//
// The attacks come in five lists.
//
//   - Arrangements: an accuser's own, independent network is permuted, flipped,
//     rotated and rescaled after the suspect's, also by optimisers each of which
//     aims at one statistic.
//   - Plants: values of the suspect stand in the accuser's network where its output
//     does not use them.
//   - Forgeries: a copy is made to look like the ancestor of what it was copied from.
//   - Evasions: a copy is disguised.
//   - Kinless: strangers share a mask, a formula, a seed, a teacher, an adapter.
//
// cmd/weightprint-bench runs them against the verdicts.
package adversary
