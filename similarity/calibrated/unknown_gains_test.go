package calibrated

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Gains lie around a positive mean in no order; biases, tables and statistics
// do not.
func TestLikeGains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	vector := func(f func(i int) float64) []float32 {
		x := make([]float32, 64)
		for i := range x {
			x[i] = float32(f(i))
		}
		return x
	}
	for name, c := range map[string]struct {
		x    []float32
		like bool
	}{
		"trained gains":     {vector(func(int) float64 { return 1 + 0.1*r.NormFloat64() }), true},
		"gains still at 1":  {vector(func(int) float64 { return 1 }), true},
		"biases":            {vector(func(int) float64 { return 0.1 * r.NormFloat64() }), false},
		"negative biases":   {vector(func(int) float64 { return -4 + 0.1*r.NormFloat64() }), false},
		"zeros":             {vector(func(int) float64 { return 0 }), false},
		"a table":           {vector(func(i int) float64 { return 1 + float64(i)/200 }), false},
		"sizes far apart":   {vector(func(int) float64 { return r.ExpFloat64() }), false},
		"frequencies":       {vector(func(i int) float64 { return 1 / float64(1+i) }), false},
		"one outlying gain": {append(vector(func(int) float64 { return 1 + 0.05*r.NormFloat64() }), 2), true},
	} {
		require.Equal(t, c.like, likeGains(c.x), name)
	}
}
