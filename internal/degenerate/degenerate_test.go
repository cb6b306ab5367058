package degenerate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/degenerate"
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
		require.NotEmpty(t, degenerate.Units(x, n, d), name)
	}
	wrong := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		if degenerate.Units(fill(func(i, k int) float64 { return r.NormFloat64() }), n, d) != "" {
			wrong++
		}
	}
	require.LessOrEqual(t, wrong, 3, "of 2000 random axes")
}

// Few rows of a position table, far apart, are still recognised.
func TestSampledTable(t *testing.T) {
	const rows, d = 256, 96
	for _, n := range []int{8, 11, 22} {
		for seed := range uint64(5) {
			some := rand.New(rand.NewPCG(seed, 2)).Perm(rows)[:n]
			slices.Sort(some)
			x := make([]float32, 0, n*d)
			for _, u := range some {
				for k := range d {
					angle := float64(u) / math.Pow(10000, float64(k/2*2)/d)
					x = append(x, float32(math.Sin(angle+float64(k%2)*math.Pi/2)))
				}
			}
			if n > 8 {
				require.NotEmpty(t, degenerate.Units(x, n, d), "%d of %d rows", n, rows)
			} else if degenerate.Units(x, n, d) == "" {
				t.Logf("seed %d: 8 rows are too few to tell", seed)
			}
		}
	}
}
