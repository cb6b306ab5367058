package recipe

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A mixture gives the child's very values; the same relation read backwards,
// with the child as a parent, does not, whatever the weights.
func TestMixturesAreNotReadBackwards(t *testing.T) {
	round := tensor.BF16.Rounding()
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 0xe4ac))
		w := float64(1+r.IntN(9)) / 10
		forwards := mixed(seed, func(*rand.Rand, float64, float64, float64) float64 { return 0 })
		var backwards []*tensorFit
		for _, f := range forwards {
			for _, x := range f.x {
				for j := range x {
					x[j] = round(x[j])
				}
			}
			for j := range f.y {
				if r.IntN(3) == 0 { // values that training did not reach
					f.x[0][j], f.x[1][j] = f.x[2][j], f.x[2][j]
				}
				f.y[j] = round(float32(w*float64(f.x[0][j]) + (1-w)*float64(f.x[1][j])))
			}
			b := *f
			b.x = [][]float32{f.y, f.x[1], f.x[2], f.x[3]}
			b.y = f.x[0]
			backwards = append(backwards, &b)
		}
		got := fit(forwards, 4)
		require.Equal(t, Linear, got.Method)
		require.Greater(t, got.Exact, 0.99, "seed %d, weight %g", seed, w)
		if got = fit(backwards, 4); !got.Missing && got.Method != Copy {
			require.Less(t, got.Exact, 0.9, "seed %d, weight %g: %s %v", seed, w, got.Method, got.Weights)
		}
	}
}
