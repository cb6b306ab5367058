// Package dispute keeps the record of a comparison between two parties who do not
// trust each other. Both commit to their files before either learns anything of the
// other's; then both open their commitments, a public beacon that nobody could
// foresee draws the sampled positions, and a neutral runner compares. Every step is
// one signed line that holds the digest of the line before it, so that Replay finds
// whatever was left out, put in later, or changed.
//
// It is the setting in which labels (order, place, sign, raw rows) are evidence of
// origin: neither file can have been arranged after the other. docs/DISPUTE.md has
// the steps, and what each side could still cheat about.
package dispute
