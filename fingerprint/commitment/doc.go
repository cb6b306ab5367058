// Package commitment lets parties that will not show their weights have them
// compared. Each commits to its weights; then a challenge is drawn that none of
// them could foresee; each answers with sketches under that challenge; then
// units are drawn, and their rows opened with proofs.
//
//	Commit → Opening (kept), Commitment (published)
//	NewChallenge(beacon, open, commitments…) → Challenge
//	Respond(model, opening, challenge, second beacon) → Response
//	Challenge.Check(response) → sketches, for the tests of package similarity
//
// A commitment is the root of a salted Merkle tree over all rows of all
// tensors. It binds every value and says nothing about any: also a commitment
// to a public model cannot be recognised without its secret.
//
// The order of the steps is what makes it hold. Weights are fixed before the
// challenge, so they cannot be fitted to its projections. Sketches are fixed
// before the units to open are drawn, so no forged one can be kept out of the
// draw: with F of N sketches forged and k opened, all of them escape with
// probability C(N−F,k)/C(N,k) ≤ (1−F/N)^k (MissProbability). Both draws depend
// on everything fixed so far, but what a party computes alone it can try often.
// A public beacon value of after each step takes that away; docs/CLOSED-WEIGHTS.md
// says what holds with and without it.
//
// All recorded bits follow from the values: sums and differences of float64 in
// stored order and one division, no product, no function of package math that
// differs between machines.
package commitment
