// Package stats holds the mathematics behind the evidence: p-values as
// logarithms, how they combine, and the counts and correlations they are taken
// of. It knows nothing of networks. Proofs of the bounds are in
// docs/STATISTICS.md.
package stats
