package calibrated_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

const vocab = 48

func train(n *zoo.Net, seed uint64, steps int) *zoo.Net {
	r := rand.New(rand.NewPCG(seed, 9))
	n.Train(r, zoo.NewChain(r, vocab), steps, 24, 4e-3)
	return n
}

func run(t *testing.T, a, b *zoo.Model) (leads, gains similarity.Evidence) {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, calibrated.Learned(0))
	require.NoError(t, err)
	for _, e := range all {
		require.Nil(t, e.P)
		if e.Test == "gains" && e.LayerB < 0 {
			gains = e
		}
		if e.Test == "leading-directions" && (e.Component == "mlp" || e.Component == "all") {
			leads = e
		}
	}
	return leads, gains
}

// What training added is common to a child and its parent, and not to two
// networks that only began alike.
func TestSharedInitIsNotDerivation(t *testing.T) {
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		start := zoo.NewNet(rand.New(rand.NewPCG(seed, 8)), 2, 24, 64, vocab)
		parent := train(start.Clone(), 10+seed, 200)
		sibling := train(start.Clone(), 20+seed, 200)
		child := train(parent.Clone(), 30+seed, 30)
		lc, gc := run(t, parent.Model(), child.Model())
		ls, gs := run(t, parent.Model(), sibling.Model())
		require.Empty(t, gc.Skipped)
		require.Greater(t, gc.Effect, 0.8, "gains of a child")
		require.Less(t, gs.Effect, 0.6, "gains of a sibling of the seed")
		require.Greater(t, lc.Statistic, ls.Statistic, "leading directions")
	}
}

// withGains is a network with the given spread of gains.
func withGains(r *rand.Rand, spread float64) *zoo.Model {
	return zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 64, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 64}, zoo.Quirks{Gains: spread})
}

func TestGains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m := withGains(r, 0.1)
	_, same := run(t, m, m.Clone())
	require.InDelta(t, 1, same.Effect, 1e-9)
	require.Equal(t, 5*64, same.N)
	_, other := run(t, m, withGains(r, 0.1))
	require.Less(t, math.Abs(other.Effect), 4/math.Sqrt(5*64), "independent gains")
	folded := m.Clone()
	zoo.FoldGains(folded)
	_, e := run(t, m, folded)
	require.Contains(t, e.Skipped, "no norm gains", "all ones")
	_, e = run(t, m, withGains(r, 0.8))
	require.Contains(t, e.Skipped, "five times as much")
	require.Zero(t, e.N)
}
