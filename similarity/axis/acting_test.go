package axis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Gains that were moved into columns, or multiplied and taken from them, come out as they
// were, whatever was done to units; those of another training do not agree, even where
// somebody put the first ones on it.
func TestActing(t *testing.T) {
	const units, width = 96, 128
	r := rand.New(rand.NewPCG(9, 1))
	drawn := func(n int, spread float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(spread * r.NormFloat64())
		}
		return x
	}
	learned := func() []float32 {
		g := drawn(width, 0.2)
		for k := range g {
			g[k]++
		}
		return g
	}
	x, noise, scales := drawn(units*width, 1), drawn(units*width, 0.1), drawn(units, 1)
	var pairs []unitPair
	for i, j := range r.Perm(units) {
		pairs = append(pairs, unitPair{i, j, scales[i] < 0})
	}
	side := func(values, gain []float32) Rows { // as read: gains multiplied in
		s := Rows{Raw: slices.Clone(values), N: units, Dim: width}
		for i := range s.Raw {
			s.Raw[i] *= gain[i%width]
		}
		return s
	}
	arranged := func(values, gain []float32) Rows { // units scaled, flipped, in another order
		s, out := side(values, gain), Rows{Raw: make([]float32, units*width), N: units, Dim: width}
		for _, p := range pairs {
			for k := range width {
				out.Raw[p.b*width+k] = scales[p.a] * (s.Raw[p.a*width+k] + noise[p.a*width+k])
			}
		}
		return out
	}
	own, other, ones, random := learned(), learned(), slices.Repeat([]float32{1}, width), learned()
	product := slices.Clone(own)
	for k, v := range random {
		product[k] *= v
	}
	for name, c := range map[string]struct {
		acting, stored []float32
		low, high      float64
	}{
		"as they are":                   {own, own, 0.8, 1},
		"moved into columns":            {own, ones, 0.8, 1},
		"multiplied, and taken from it": {own, product, 0.8, 1},
		"of another training":           {other, other, -0.4, 0.4},
		"of another training, moved":    {other, ones, -0.4, 0.4},
		"put on another training":       {other, own, -0.4, 0.4},
	} {
		got := actingOf(bothSides{a: side(x, own), b: arranged(x, c.acting), gains: [2][]float32{own, c.stored}}, pairs)
		require.Equal(t, width, got.N[0], name)
		require.GreaterOrEqual(t, got.Correlation[0], c.low, name)
		require.LessOrEqual(t, got.Correlation[0], c.high, name)
		if slices.Equal(c.stored, ones) {
			require.Zero(t, got.N[1], "gains of one do not vary")
		}
	}
	broken := side(x, own)
	broken.Raw[5] = float32(math.Inf(1))
	got := actingOf(bothSides{a: broken, b: arranged(x, own), gains: [2][]float32{own, own}}, pairs)
	require.Greater(t, got.Correlation[0], 0.8, "a unit that is no number is left out")
}
