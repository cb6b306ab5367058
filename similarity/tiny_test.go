package similarity

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every bound is a probability whatever the counts are, and the sure one where
// nothing was seen.
func TestBoundsOfSmallCounts(t *testing.T) {
	for n := range 4 {
		for k := range 4 {
			for name, p := range map[string]LogP{
				"fixed points": FixedPoints(k, n), "ordered": Ordered(n, k), "signs": SignAgreements(k, n),
				"swaps": Swaps(float64(k), float64(n)), "Fisher": Fisher(make([]LogP, n)), "Bonferroni": Bonferroni(LogP(-k), n),
			} {
				require.False(t, math.IsNaN(float64(p)) || p > 0, "%s of %d, %d is %v", name, n, k, p)
				if k == 0 {
					require.Zero(t, p, "%s of %d", name, n)
				}
			}
		}
	}
}

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
					ok := trues(n)
					eligible(x, n, d, ok)
					mark(x, n, d, ok)
					s := sample{raw: x, n: n, dim: d}
					s.centre(ok)
					g := gramOf(s.unit, n, d, ok)
					_, _, _ = g.defect(), basis(x, n, d, ok), structured(x, s.unit, n, d, ok, g)
					axis := Axis{A: Side{Units: Spread(n, n), Eligible: ok}, B: Side{Units: Spread(n, n), Eligible: ok}}
					v := View{Name: "rows"}
					v.compare(s, s, n, n)
					axis.Views = []View{v}
					require.Zero(t, directions(0, s, s, &axis).N, "so few units have no leading directions")
					require.False(t, FixedPointPower([]*Axis{&axis}, 0.3, -20).Reached)
					_, _ = Correlation(x, x)
					_ = LongestIncreasing(Spread(n, d))
					if n > 0 && d > 0 {
						_, _ = cutBack(x, n, d)
					}
				}, "%d units of %d features, all multiples of %v", n, d, value)
			}
		}
	}
}

// Strings pair the rows unless they say next to nothing.
func TestSharedTokensOfFewStrings(t *testing.T) {
	list := func(format string, n, common int) (out []string) {
		for i := range n {
			if i < common {
				out = append(out, fmt.Sprintf("t%d", i))
			} else {
				out = append(out, fmt.Sprintf(format, i))
			}
		}
		return out
	}
	for _, c := range []struct {
		name         string
		common       int
		rowsA, rowsB int
		how          string
		pairs        int
	}{
		{"none in common", 0, 1000, 1000, "index", 1000},
		{"one", 1, 1000, 1000, "index", 1000},
		{"two", 2, 1000, 1000, "index", 1000},
		{"just too few", 63, 1000, 1000, "index", 1000},
		{"enough", 64, 1000, 1000, "string", 64},
		{"padded", 0, 1000, 1024, "index", 1000},
		{"other sizes", 2, 1000, 2000, "string", 2},
		{"half of a small vocabulary", 5, 10, 10, "string", 5},
		{"less than half of it", 4, 10, 10, "index", 10},
		{"no rows", 0, 0, 0, "string", 0},
		{"one row", 0, 1, 1, "index", 1},
	} {
		m := SharedTokens(list("a%d", c.rowsA, c.common), list("b%d", c.rowsB, c.common), c.rowsA, c.rowsB)
		if c.rowsA == 0 {
			m.How = c.how // nothing to pair
		}
		require.Equal(t, c.how, m.How, c.name)
		require.Len(t, m.A, c.pairs, c.name)
		require.Len(t, m.B, c.pairs, c.name)
	}
}
