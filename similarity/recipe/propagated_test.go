package recipe

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// undoes makes the first parent the child, and a rounded mean of both that parent, so
// that the child is five times the mean less four of the other; noise is added to the child.
func undoes(seed uint64, noise float64) []*tensorFit {
	all := mixed(seed, func(_ *rand.Rand, _, a, b float64) float64 { return 0.2*a + 0.8*b })
	r, round := rand.New(rand.NewPCG(seed, 6)), tensor.BF16.Rounding()
	for _, t := range all {
		child := make([]float32, len(t.y))
		for j := range child {
			a, b := float64(round(t.x[0][j])), float64(round(t.x[1][j]))
			t.x[1][j] = float32(b)
			t.y[j] = round(float32(0.2*a + 0.8*b))
			child[j] = round(float32(a + r.NormFloat64()*noise))
		}
		t.x, t.stored, t.y = [][]float32{t.y, t.x[1]}, t.stored[:2], child
	}
	return all
}

func TestParentsRoundingIsNoTraining(t *testing.T) {
	for seed := range uint64(5) {
		got := fit(undoes(seed, 0), 2)
		require.Equal(t, Unknown, got.Method)
		require.Equal(t, Rounded, got.After)
		require.False(t, got.Missing)
		require.InDeltaSlice(t, []float64{5, -4}, got.Weights, 0.1)
		got = fit(undoes(seed, 0.002), 2)
		require.NotContains(t, []After{Rounded, MergeOnly}, got.After)
		require.True(t, got.Missing)
	}
}

func TestQuantisedParentsRoundingCannotBeTold(t *testing.T) {
	all := undoes(1, 0.002)
	f := newFitting(all, 2)
	e := f.explain()
	require.Equal(t, Trained, f.shown(e, Trained))
	all[0].stored[0] = tensor.DType(255)
	require.Equal(t, Remains, f.shown(e, Trained))
	require.Equal(t, Open, f.shown(e, Open))
}

func TestSingleParentShowsNoTraining(t *testing.T) {
	for seed := range uint64(5) {
		all := mixed(seed, func(r *rand.Rand, _, a, _ float64) float64 { return a + r.NormFloat64()*0.003 })
		for _, x := range all {
			x.x, x.stored = x.x[:1], x.stored[:1]
		}
		got := fit(all, 1)
		require.Equal(t, Remains, got.After)
		require.InDelta(t, 1, got.Weights[0], 0.01)
		require.InDelta(t, 1, got.Residual, 0.005)
	}
}
