package delta_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Gains that were moved into columns, or multiplied and taken from them, come
// out as they were; those of a network that only began alike do not agree.
func TestGainsComeOut(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	learned := func() []float32 {
		g := make([]float32, cols)
		for k := range g {
			g[k] = float32(1 + 0.2*r.NormFloat64())
		}
		return g
	}
	times := func(x []float32, gain []float32, sign float64) []float32 {
		return with(x, func(i int, v float32) float32 { return v * float32(math.Pow(float64(gain[i%cols]), sign)) })
	}
	side := func(x, gain []float32) model {
		return append(stored(tensor.F32, x), plain("model.layers.0.post_attention_layernorm.weight", tensor.F32, encoders[tensor.F32](gain), cols))
	}
	x, own, other, random := weights(r), learned(), learned(), learned()
	ones, product := make([]float32, cols), make([]float32, cols)
	for k := range ones {
		ones[k], product[k] = 1, own[k]*random[k]
	}
	noisy := with(x, func(_ int, v float32) float32 { return v + 0.02*float32(r.NormFloat64()) })
	for name, c := range map[string]struct {
		x, gain []float32
		low     float64
		high    float64
	}{
		"as they are":                   {noisy, own, 0.9, 1},
		"moved into columns":            {times(noisy, own, 1), ones, 0.9, 1},
		"multiplied, and taken from it": {times(noisy, random, -1), product, 0.9, 1},
		"of another training":           {noisy, other, -0.5, 0.5},
		"of another training, moved":    {times(noisy, other, 1), ones, -0.5, 0.5},
		"put on another training":       {times(times(noisy, other, 1), own, -1), own, -0.5, 0.5},
	} {
		both := changed(t, side(x, own), side(c.x, c.gain))
		g, acting := both.Gains, both.Acting
		require.Equal(t, cols, g.N[0], name)
		require.GreaterOrEqual(t, g.Correlation[0], c.low, name)
		require.LessOrEqual(t, g.Correlation[0], c.high, name)
		require.Equal(t, cols, acting.Columns, name)
		require.GreaterOrEqual(t, acting.Correlation, c.low-0.2, name) // columns differ in length by themselves
		require.LessOrEqual(t, acting.Correlation, c.high+0.2, name)
	}
	g := changed(t, side(x, own), side(times(x, own, 1), ones)).Gains
	require.Zero(t, g.N[1], "gains of one do not vary")
	stranger := changed(t, side(x, own), side(weights(r), own)).Gains
	require.Zero(t, stranger.N[0], "columns of strangers say nothing")
}
