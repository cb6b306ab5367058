package exact_test

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
	"github.com/weightprint/weightprint/similarity/exact"
)

// signs runs the exact test on embeddings.
func signs(t *testing.T, a, b *zoo.Model) similarity.Evidence {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, []*similarity.Test{calibrated.TokenGram()})
	require.NoError(t, err)
	require.Equal(t, exact.TokenSigns, all[2].Test)
	return all[2]
}

var embedded = zoo.Shape{Layers: 1, Hidden: 48, Width: 32, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 300, Untied: true}

func drawn(seed, of uint64) *zoo.Model {
	return zoo.Random(rand.New(rand.NewPCG(seed, of)), embedded, zoo.Quirks{})
}

const embedding = "model.embed_tokens.weight"

// Between independent initialisations the counted signs are fair coins: their
// number has the mean and the variance of a binomial one, over 200 pairs within
// four standard errors. No pair gives a p-value below 1.
func TestSignsAreFairCoins(t *testing.T) {
	pairs := 200
	if testing.Short() {
		pairs = 30
	}
	sum, squares := 0.0, 0.0
	for seed := range uint64(pairs) {
		e := signs(t, drawn(seed, 1), drawn(seed, 2))
		require.Empty(t, e.Skipped)
		require.Equal(t, 127, e.N)
		require.Zero(t, *e.P)
		d := e.Statistic - 63.5
		sum += d
		squares += d * d
	}
	variance := 127.0 / 4
	n := float64(pairs)
	require.InDelta(t, 0, sum/n, 4*math.Sqrt(variance/n))
	require.InDelta(t, variance, squares/n, 4*variance*math.Sqrt(2/n))
}

// Copies are found through every disguise, though half the tokens were trained
// further and all rows bear noise.
func TestSignsFindUntouchedCopies(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		a := drawn(seed, 1)
		b := a.Clone()
		x := b.Values(embedding)
		for i := range x {
			x[i] += float32(0.1 * 0.02 * r.NormFloat64())
		}
		for i := range x[:len(x)/2] {
			x[i] *= 3
		}
		zoo.DisguiseAll(r, b)
		e := signs(t, a, b)
		require.Empty(t, e.Skipped)
		require.Less(t, e.P.Log10(), -30.0)
		require.Greater(t, e.Effect, 0.9)
	}
}

// Strangers whose tokens learned the same are never found, whatever they
// learned and how strongly: one topic or hundreds, spread over all tokens. Where
// it makes coins lean, the guards stop the test or the effect is too small.
func TestSignsDoNotFindWhatWasLearned(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long under the race detector")
	}
	ran, leaning := 0, 0
	for _, topics := range []int{1, 4, 16, 64, 256} {
		for _, strength := range []float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1, 2} {
			for seed := range uint64(2) {
				about := rand.New(rand.NewPCG(uint64(topics), seed)) // what tokens are about is the world's
				weights := make([]float64, 300*topics)
				for i := range weights {
					weights[i] = about.NormFloat64() * strength / math.Sqrt(float64(topics))
				}
				e := signs(t, learned(drawn(seed, 1), weights, seed), learned(drawn(seed, 2), weights, seed+1000))
				if e.Skipped != "" {
					continue
				}
				ran++
				if e.Statistic > 63.5+4*5.6 {
					leaning++
				}
				require.Zero(t, *e.P, "%d topics at %g correlate at %g", topics, strength, e.Effect)
			}
		}
	}
	require.Greater(t, ran, 20)
	require.Greater(t, leaning, 0, "the guards alone do not see everything")
}

// learned adds to each token's row what its topics ask for, in directions that
// every network chooses for itself.
func learned(m *zoo.Model, weights []float64, seed uint64) *zoo.Model {
	x, d := m.Values(embedding), embedded.Hidden
	scale := 0.0
	for _, v := range x {
		scale += float64(v) * float64(v) / float64(len(x))
	}
	topics := len(weights) * d / len(x)
	r := rand.New(rand.NewPCG(seed, 9))
	for topic := range topics {
		way := make([]float64, d)
		for k := range way {
			way[k] = r.NormFloat64() * math.Sqrt(scale)
		}
		for row := range len(x) / d {
			for k := range way {
				x[row*d+k] += float32(weights[row*topics+topic] * way[k])
			}
		}
	}
	return m
}

// Rows that were kept apart, or are all one, are not tested.
func TestSignsAreNotAskedOfTables(t *testing.T) {
	a, b := drawn(1, 1), drawn(1, 2)
	for _, m := range []*zoo.Model{a, b} {
		x := m.Values(embedding)
		for i := range x {
			x[i] = 0
			if i/embedded.Hidden%embedded.Hidden == i%embedded.Hidden {
				x[i] = 1
			}
		}
	}
	require.NotEmpty(t, signs(t, a, b).Skipped)
}

// Rows that were set to nothing, or all to one value, do not hide the others.
func TestSignsLeaveOutRowsSetByHand(t *testing.T) {
	a := drawn(5, 1)
	x, d := a.Values(embedding), embedded.Hidden
	clear(x[:10*d])
	for row := 10; row < 20; row++ {
		copy(x[row*d:(row+1)*d], x[20*d:21*d])
	}
	b := a.Clone()
	zoo.RotateResidual(rand.New(rand.NewPCG(5, 4)), b)
	e := signs(t, a, b)
	require.Empty(t, e.Skipped)
	require.Less(t, e.P.Log10(), -30.0)
	for i := range x { // few rows are left
		if i/d > 90 {
			x[i] = 0
		}
	}
	require.NotEmpty(t, signs(t, a, b).Skipped)
}
