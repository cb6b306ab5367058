package axis

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// The parts of the guards take any number of units and features.
func TestGuardsOfNextToNothing(t *testing.T) {
	for n := range 4 {
		for d := range 4 {
			for _, value := range []float32{0, 1, float32(math.NaN()), float32(math.Inf(1)), 3e38} {
				x := make([]float32, n*d)
				for i := range x {
					x[i] = value * float32(i%3)
				}
				require.NotPanics(t, func() {
					ok := allTrue(n)
					eligible(x, n, d, ok)
					mark(x, n, d, ok)
					s := Rows{Raw: x, N: n, Dim: d}
					s.Centre(ok)
					g := gramOf(s.Unit, n, d, ok)
					_, _, _ = g.defect(), basis(x, n, d, ok), structured(x, s.Unit, n, d, ok, g, 1)
					axis := Axis{A: Side{Units: align.Spread(n, n), Eligible: ok}, B: Side{Units: align.Spread(n, n), Eligible: ok}}
					v := View{Name: "rows"}
					v.compare(s, s, n, n)
					axis.Views = []View{v}
					pairs := clearly(0, &axis)
					require.Zero(t, leadingSubspace(s, s, pairs).N, "so few units have no leading directions")
					require.Zero(t, actingOf(bothSides{a: s, b: s}, pairs).N)
					_, _ = stats.Correlation(x, x)
					_ = stats.LongestIncreasing(align.Spread(n, d))
					if n > 0 && d > 0 {
						_, _ = cutBack(x, n, d)
					}
				}, "%d units of %d features, all multiples of %v", n, d, value)
			}
		}
	}
}
