package equality_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Equal tables are equal, and nobody learned them.
func TestTablesAreNotLearned(t *testing.T) {
	fill := func(f func(r, c int) float64) *tensor.Tensor {
		v := make(values, 64*64)
		for i := range v {
			v[i] = float32(f(i/64, i%64))
		}
		return &tensor.Tensor{Name: "t", DType: tensor.F32, Shape: []int64{64, 64}, Data: v}
	}
	hann := func(c int) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*float64(c)/64) }
	random := drawn("t", tensor.F32, 1, 64, 64)
	draw := random.Data.(values)
	for name, c := range map[string]struct {
		t       *tensor.Tensor
		learned bool
	}{
		"random":     {random, true},
		"small":      {drawn("t", tensor.F32, 1, 16, 16), false},
		"vector":     {drawn("t", tensor.F32, 1, 4096), false},
		"cosine":     {fill(func(r, c int) float64 { return math.Cos(2 * math.Pi * float64(r*c) / 64) }), false},
		"positions":  {fill(func(r, c int) float64 { return math.Sin(float64(r) / math.Pow(10000, float64(c)/64)) }), false},
		"mask":       {fill(func(r, c int) float64 { return map[bool]float64{true: 1}[r >= c] }), false},
		"filterbank": {fill(func(r, c int) float64 { return math.Max(0, 1-math.Abs(float64(c-r))/4) }), false},
		"windowed":   {fill(func(r, c int) float64 { return hann(c) * math.Cos(2*math.Pi*float64(r*c)/64) }), false},
		"sines":      {fill(func(r, c int) float64 { return -hann(c) * math.Sin(2*math.Pi*float64(r*c)/64) }), false},
		"turned": {fill(func(r, c int) float64 {
			turn := 2 * math.Pi * float64(r) * float64(c%32) / 62
			return hann(r) * map[bool]float64{true: math.Cos(turn), false: math.Sin(turn)}[c < 32]
		}), false},
		"window with two ends": {fill(func(r, c int) float64 {
			return math.Sin(math.Pi*float64(c)/63) * math.Cos(2*math.Pi*float64(r*c)/64)
		}), false},
		"constant Q": {fill(func(r, c int) float64 { return hann(c) * math.Cos(float64(c)*0.05*math.Pow(1.04, float64(r))) }), false},
		"rounded": {fill(func(r, c int) float64 {
			return math.Round(127*hann(c)*math.Cos(2*math.Pi*float64(r*c)/64+1)) / 127
		}), false},
		"tuned": {fill(func(r, c int) float64 {
			return math.Cos(2*math.Pi*float64(r*c)/64) + 0.1*float64(draw[r*64+c])
		}), true},
		"DCT":       {fill(func(r, c int) float64 { return math.Cos(math.Pi * float64(r) * (float64(c) + 0.5) / 64) }), false},
		"symmetric": {fill(func(r, c int) float64 { return float64(draw[min(r, c)*64+max(r, c)]) }), false},
		"nearly symmetric": {fill(func(r, c int) float64 {
			return float64(draw[min(r, c)*64+max(r, c)]) * (1 + map[bool]float64{true: 1e-6}[r == 63 && c == 1])
		}), true},
		"basis": {fill(func() func(r, c int) float64 { // Householder's reflection: orthogonal rows, none of them smooth
			size := 0.0
			for _, v := range draw[:64] {
				size += float64(v * v)
			}
			return func(r, c int) float64 {
				return map[bool]float64{true: 1}[r == c] - 2*float64(draw[r])*float64(draw[c])/size + 1e-9*float64(c)
			}
		}()), false},
		"distances":  {fill(func(r, c int) float64 { return math.Abs(float64(draw[r*64+c])) }), false},
		"repulsions": {fill(func(r, c int) float64 { return -math.Abs(float64(draw[r*64+c])) }), false},
		"one below zero": {fill(func(r, c int) float64 {
			return math.Abs(float64(draw[r*64+c])) * map[bool]float64{true: -1, false: 1}[r == 63 && c == 63]
		}), true},
		"pruned": {fill(func(r, c int) float64 { return map[bool]float64{true: float64(draw[r*64+c])}[(r+c)%2 == 0] }), true},
	} {
		got, err := equality.Match(t.Context(), memory{c.t}, memory{c.t}, nil)
		require.NoError(t, err)
		require.Len(t, got.Pairs, 1, name)
		require.Equal(t, c.learned, got.Pairs[0].Learned, name)
	}
}
