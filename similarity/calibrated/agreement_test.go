package calibrated_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

// agreement is the pooled result in both coordinates, anchored last.
func agreement(t *testing.T, a, b *zoo.Model) (raw, anchor similarity.Evidence) {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, []*similarity.Test{calibrated.Agreement(1)})
	require.NoError(t, err)
	for _, e := range all {
		require.Nil(t, e.P)
		switch e.Axis {
		case "mlp (raw)":
			raw = e
		case "mlp (anchored)":
			anchor = e
		}
	}
	return raw, anchor
}

var deep = zoo.Shape{Layers: 4, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200, Untied: true}

// Units of a copy agree whatever was done to order and basis. Scaling and
// flipping single units moves the mean that is taken away, so a few of them
// miss each other.
func TestDisguisedCopies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m := zoo.Random(r, deep, zoo.Quirks{})
	for _, c := range []struct {
		name  string
		apply []func(*rand.Rand, *zoo.Model)
		least float64
	}{
		{"permuted and rotated", []func(*rand.Rand, *zoo.Model){zoo.MLPPermute, zoo.RotateResidual, zoo.PermuteHeads, zoo.MixVO, zoo.TurnQK}, 1},
		{"everything", []func(*rand.Rand, *zoo.Model){zoo.DisguiseAll}, 0.95},
	} {
		b := m.Clone()
		for _, f := range c.apply {
			f(r, b)
		}
		raw, anchor := agreement(t, m, b)
		require.GreaterOrEqual(t, anchor.Effect, c.least, c.name)
		require.Equal(t, 3*deep.Width, anchor.N, "the first layer is left out")
		require.Less(t, raw.Effect, 0.05, "raw coordinates do not see through a rotation")
	}
}

func TestStrangersDoNotAgree(t *testing.T) {
	pairs := 10
	if testing.Short() {
		pairs = 3
	}
	count, n := 0.0, 0
	for seed := range pairs {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		q := zoo.Quirks{Ties: float64(seed%2) * 0.3, Common: float64(seed % 3)}
		raw, anchor := agreement(t, zoo.Random(r, deep, q), zoo.Random(r, deep, q))
		count += raw.Statistic + anchor.Statistic
		n += raw.N + anchor.N
	}
	// Both views of a unit point at a mutual partner half of the time or so, and
	// at the same one of 96 by chance.
	require.Less(t, count/float64(n), 1.0/float64(deep.Width))
}

// One hub among the units of A, nearest to all of B, counts for one unit at most.
func TestHubsCountOnce(t *testing.T) {
	const n = 20
	x := &axis.Axis{}
	for i := range n {
		for _, s := range []*axis.Side{&x.A, &x.B} {
			s.Units, s.Eligible = append(s.Units, i), append(s.Eligible, true)
		}
	}
	hub := make([]float32, n*n)
	for j := range n {
		hub[j*n+7] = 0.9 - float32(j)/100
	}
	x.Views = []axis.View{{Name: "gate", Cosine: hub}, {Name: "up", SignEquivariant: true, Cosine: hub}}
	count, of, ok := calibrated.AgreeingUnits(x)
	require.True(t, ok)
	require.Equal(t, n, of)
	require.Equal(t, 1, count)
	for j := range n { // the diagonal, of either sign where signs are free
		hub[j*n+7] = 0
	}
	up := make([]float32, n*n)
	for j := range n {
		hub[j*n+j], up[j*n+j] = 0.5, -0.5
	}
	x.Views = []axis.View{{Name: "gate", Cosine: hub}, {Name: "up", SignEquivariant: true, Cosine: up}}
	count, _, _ = calibrated.AgreeingUnits(x)
	require.Equal(t, n, count)
	x.A.Eligible[3], x.B.Eligible[4] = false, false
	count, of, _ = calibrated.AgreeingUnits(x)
	require.Equal(t, n-2, count)
	require.Equal(t, n-1, of)
	x.Views = x.Views[:1]
	_, _, ok = calibrated.AgreeingUnits(x)
	require.False(t, ok, "one view cannot agree with itself")
}
