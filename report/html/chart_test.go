package html

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ticks are round, rise, lie on the axis and are few but not too few.
func TestTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		span := math.Pow(10, 6*r.Float64()-1)
		low := span * (r.Float64() - 0.7)
		a := between(low, low+span, "")
		require.GreaterOrEqual(t, len(a.ticks), 2, "%g to %g", low, low+span)
		require.LessOrEqual(t, len(a.ticks), 11)
		for i, k := range a.ticks {
			require.GreaterOrEqual(t, k.at, low-1e-6*span)
			require.LessOrEqual(t, k.at, low+span*(1+1e-6))
			require.Less(t, len(k.label), 12)
			if i > 0 {
				require.Greater(t, k.at, a.ticks[i-1].at)
			}
		}
	}
}

// Units of the axes come to stand where their ticks do, upwards and to the
// right.
func TestChartPlacesUnits(t *testing.T) {
	c := newChart(between(0, 10, "x"), rows([]string{"first", "second"}), 100)
	require.InDelta(t, c.left, c.x(0), 1e-9)
	require.InDelta(t, c.right, c.x(10), 1e-9)
	require.Less(t, c.y(1), c.y(0), "the first row is at the top")
	c.box(bar, 2, 4, 0, 1)
	require.Contains(t, c.b.String(), `x="`+figure(c.x(2))+`" y="`+figure(c.y(1))+`" width="`+figure(c.x(4)-c.x(2))+`"`)
	p := c.picture("title", "words")
	for _, label := range []string{">first<", ">second<", ">10<", ">x<"} {
		require.Equal(t, 1, strings.Count(string(p.SVG), label), label)
	}
}

// A cell's tone says its share: nothing, something, everything.
func TestHeat(t *testing.T) {
	for share, want := range map[float64]int{0: 0, 0.05: 0, 0.1: 1, 0.59: 5, 0.6: 6, 0.99: 9, 1: 9} {
		require.Equal(t, want, heat(share), "%g", share)
	}
}
