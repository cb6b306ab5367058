package stats

import "math"

// Arrangement says how much freedom somebody has who arranges one network
// after another, independent one, without changing what it computes.
type Arrangement struct {
	Units   int     // units of a layer whose likeness is measured
	Choice  int     // units that the layer has, among which they may be chosen
	Layers  int     // layers that are measured, all turned by one rotation
	Views   int     // vectors by which each unit is seen, all relabelled together
	Width   int     // length of these vectors: the residual stream that a rotation turns
	Rank    float64 // directions over which the vectors spread, at most Width
	Columns bool    // the vectors' entries are relabelled for each layer apart, as units of the layer before
}

// procrustes is 8/3π: the nuclear norm of an h×h matrix of independent entries
// of variance s² is 8/3π·h^1.5·s (the mean of the quarter-circle law).
const procrustes = 8 / (3 * math.Pi)

// Reach is the mean cosine between corresponding units that an arrangement of
// strangers can reach, at most.
//
// For a fixed relabelling, the rotation that turns N = Units·Layers·Views unit
// vectors of one network onto N independent ones of the other best (Schönemann
// 1966) leaves a mean cosine of 8/3π·√(Width/N). A relabelling chooses among
// Choice units and two signs for each; the mean over Views cosines of variance
// 1/Rank exceeds √(2 ln(2·Choice·Choice/Units)/(Views·Rank)) for none of them
// (first moment). A maximum over both is at most the sum of the two. Networks
// that optimisers arranged reach about two thirds of it.
func (a Arrangement) Reach() float64 {
	if a.Units < 1 || a.Layers < 1 || a.Views < 1 || a.Width < 1 || !(a.Rank >= 1) {
		return 1
	}
	n, choice := float64(a.Units), float64(max(a.Choice, a.Units))
	turned := procrustes * math.Sqrt(float64(a.Width)/(n*float64(a.Layers)*float64(a.Views)))
	matched := math.Sqrt(2 * math.Log(2*choice*choice/n) / (float64(a.Views) * a.Rank))
	reach := turned + matched
	if a.Columns {
		reach += math.Sqrt(2 * math.Log(2*float64(a.Width)) / n)
	}
	return math.Min(1, reach)
}
