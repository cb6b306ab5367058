package delta_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Of matrices of unknown role it is told whether they look trained, also where some rows
// were read only.
func TestLearnedOfUnknownRole(t *testing.T) {
	const side = 96
	r := rand.New(rand.NewPCG(1, 7))
	drawn := weights(r)
	square := drawn[:side*side]
	mirrored := with(square, func(i int, _ float32) float32 {
		a, b := i/side, i%side
		return square[min(a, b)*side+max(a, b)]
	})
	for name, c := range map[string]struct {
		values []float32
		cols   int64
		read   int
		want   bool
	}{
		"drawn":              {drawn, cols, 0, true},
		"drawn, in part":     {drawn, cols, 48, true},
		"square":             {square, side, 0, true},
		"square, in part":    {square, side, 48, true},
		"symmetric":          {mirrored, side, 0, false},
		"symmetric, in part": {mirrored, side, 48, false},
		"of one sign":        {with(drawn, func(_ int, v float32) float32 { return float32(math.Abs(float64(v))) }), cols, 0, false},
	} {
		m := model{plain("graph", tensor.F32, encoders[tensor.F32](c.values), int64(len(c.values))/c.cols, c.cols)}
		all, differ, err := delta.Compare(context.Background(), pairOf(m, m).Match(), []byte{1}, delta.Options{Rows: c.read})
		require.NoError(t, err)
		require.Empty(t, differ)
		require.Equal(t, "generic", all[0].Component, name)
		require.Equal(t, c.want, all[0].Learned, name)
	}
	twice := model{plain("a", tensor.F32, encoders[tensor.F32](drawn), rows, cols), plain("b", tensor.F32, encoders[tensor.F32](drawn), rows, cols)}
	all, _, err := delta.Compare(context.Background(), pairOf(twice, twice).Match(), []byte{1}, delta.Options{Rows: 48})
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, all[0].Stats, all[1].Stats, "a matrix that is there twice shows itself in the same rows")
	require.False(t, changed(t, stored(tensor.F32, drawn), stored(tensor.F32, drawn)).Learned, "known roles need no look")
}
