package generic_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/generic"
)

// Units that any network could have are withdrawn, others are not.
func TestUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n, d = 32, 64
	fill := func(f func(i, k int) float64) []float32 {
		x := make([]float32, n*d)
		for i := range n {
			for k := range d {
				x[i*d+k] = float32(f(i, k))
			}
		}
		return x
	}
	u, v := make([]float64, n), make([]float64, d)
	for i := range u {
		u[i] = r.NormFloat64()
	}
	for k := range v {
		v[k] = r.NormFloat64()
	}
	for name, x := range map[string][]float32{
		"constant":    fill(func(i, k int) float64 { return 0.5 }),
		"rank one":    fill(func(i, k int) float64 { return u[i] * v[k] }),
		"one row":     fill(func(i, k int) float64 { return v[k] }),
		"cosines":     fill(func(i, k int) float64 { return math.Cos(math.Pi * (float64(k) + 0.5) * float64(i+1) / d) }),
		"many waves":  fill(func(i, k int) float64 { return math.Cos(math.Pi * (float64(k) + 0.5) * float64(7*i+1) / 256) }),
		"sinusoids":   fill(func(i, k int) float64 { return math.Sin(float64(i) / math.Pow(10000, float64(k/2*2)/d)) }),
		"sliding row": fill(func(i, k int) float64 { return math.Exp(-math.Pow(float64(k-2*i)/6, 2)) }),
	} {
		require.NotEmpty(t, generic.Units(x, n, d), name)
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		require.Empty(t, generic.Units(fill(func(i, k int) float64 { return r.NormFloat64() }), n, d))
	}
}
