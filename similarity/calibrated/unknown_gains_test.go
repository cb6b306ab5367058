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

// Vectors that nothing but their places pairs count as they correlate with the one that
// they are most like; those of one name with one another.
func TestUnknownGainsByName(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	var a, b [3][]float32
	for i := range a {
		for range 64 {
			x := 1 + 0.1*float32(r.NormFloat64())
			a[i], b[(i+1)%3] = append(a[i], x), append(b[(i+1)%3], x+0.01*float32(r.NormFloat64()))
		}
	}
	for _, named := range []bool{false, true} {
		var all []unknownPair
		for i := range a {
			all = append(all, unknownPair{a[i], b[i], named})
		}
		for _, v := range all {
			c, ok := v.correlation(all)
			require.True(t, ok)
			require.Equal(t, !named, c > 0.9, "%v", c)
		}
	}
}
