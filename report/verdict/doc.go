// Package verdict draws the conclusion of a comparison: [Policy.Decide] takes
// [Facts] to a [Verdict], and [Policy.Screen] does so for fingerprints. It
// reads nothing and knows no checkpoint: the same facts give the same verdict.
//
// Every number that decides something has its name and its source in
// thresholds.go. kinds.go lists the rules that say how one network was made
// from the other.
package verdict
