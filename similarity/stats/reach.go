package stats

import "math"

// Arrangement says how much freedom somebody has who arranges one network
// after another, independent one, without changing what it computes.
type Arrangement struct {
	Units   int     // units of a layer whose likeness is measured, at places that are given
	Choice  int     // units that the layer has, any of which may be put there
	Layers  int     // layers that are measured
	Among   int     // layers among which these were chosen by looking, 0 where none were
	Views   int     // vectors by which each unit is seen, all relabelled together
	Width   int     // length of these vectors
	Rank    float64 // directions over which the vectors spread, at most Width
	Turned  bool    // one rotation may turn all the vectors, as of a residual stream
	Columns bool    // the vectors' entries may be relabelled too, as units of the layer before
}

// procrustes is 8/3π: the nuclear norm of an h×h matrix of independent entries
// of variance s² is 8/3π·h^1.5·s (the mean of the quarter-circle law).
const procrustes = 8 / (3 * math.Pi)

// Reach is the mean cosine between corresponding units that an arrangement of
// strangers can reach, at most.
//
// The mean of D independent products scatters with variance 1/D. Among e^H
// relabellings none brings it beyond √(2H/D) (first moment: the probability that
// one does falls as fast as their number grows). Relabelling n units with signs is
// a choice of 2ⁿ·n! ≤ (2n/e)ⁿ·√(2πn)·2; filling n given places from more units one
// of at most (2·Choice)ⁿ; which layers are measured is one more choice, of all their units. For a fixed relabelling the rotation that turns N vectors
// onto N independent ones best (Schönemann 1966) adds 8/3π·√(Width/N). A maximum
// over both is at most the sum. Networks that optimisers arranged reach two thirds
// of it.
func (a Arrangement) Reach() float64 {
	if a.Units < 1 || a.Layers < 1 || a.Views < 1 || a.Width < 1 || !(a.Rank >= 1) {
		return 1
	}
	n, layers, views := float64(a.Units), float64(a.Layers), float64(a.Views)
	choices := logOrders(a.Units)
	if a.Choice > a.Units {
		choices = n * math.Log(2*float64(a.Choice))
	}
	if a.Columns {
		choices += logOrders(a.Width)
	}
	if a.Among > a.Layers {
		choices += (LogChoose(a.Among, a.Layers) + math.Log(float64(a.Among))) / layers
	}
	reach := math.Sqrt(2 * choices / (n * views * a.Rank))
	if a.Turned {
		reach += procrustes * math.Sqrt(float64(a.Width)/(n*layers*views))
	}
	return math.Min(1, reach)
}

// logOrders is the logarithm of the number of orders of n units with signs.
func logOrders(n int) float64 {
	f, _ := math.Lgamma(float64(n) + 1)
	return f + float64(n)*math.Ln2
}
