package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The n-th value is that of the sorted values, with few and many ties, sorted and not.
func TestNthEqualsSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for n := 1; n < 200; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
			if n%3 == 0 {
				x[i] = float64(r.IntN(5))
			}
		}
		for range n % 5 / 3 * n / 3 {
			x[r.IntN(n)] = math.NaN()
		}
		sorted := slices.Sorted(slices.Values(x))
		if n%7 == 0 {
			copy(x, sorted)
		}
		at := r.IntN(n)
		require.Equal(t, math.Float64bits(sorted[at]), math.Float64bits(Nth(x, at)), "value %d of %d", at, n)
		slices.Sort(x)
		for i := range x {
			require.Equal(t, math.Float64bits(sorted[i]), math.Float64bits(x[i]), "no value is lost")
		}
	}
}
