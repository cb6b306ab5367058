package tokenfree

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Partners found strip by strip are those of the whole table, ties and all.
func TestNearest(t *testing.T) {
	r := rng.New(nil, "partners")
	for _, c := range []struct{ nb, na, d int }{{0, 3, 2}, {3, 0, 2}, {1, 1, 1}, {strip, 40, 3}, {2*strip + 7, 300, 5}} {
		draw := func(n int) []float32 {
			x := make([]float32, n*c.d)
			for i := range x {
				x[i] = float32(int64(r.Uint64()%7) - 3) // ties are frequent
			}
			return x
		}
		a, b := draw(c.na), draw(c.nb)
		want := make([]int, c.nb)
		first := func(n int, like func(i int) float32) int {
			best := -1
			for i := range n {
				if v := like(i); v > 0 && (best < 0 || v > like(best)) {
					best = i
				}
			}
			return best
		}
		like := func(j, i int) float32 { return float32(dense.Dot(b[j*c.d:(j+1)*c.d], a[i*c.d:(i+1)*c.d])) }
		found := 0
		for j := range want {
			want[j] = first(c.na, func(i int) float32 { return like(j, i) })
			if i := want[j]; i >= 0 && first(c.nb, func(j int) float32 { return like(j, i) }) != j {
				want[j] = -1
			}
			if want[j] >= 0 {
				found++
			}
		}
		require.Equal(t, want, nearest(b, a, c.nb, c.na, c.d), "%v", c)
		if c.na > 30 {
			require.Positive(t, found)
		}
	}
}
