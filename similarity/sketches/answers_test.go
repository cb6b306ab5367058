package sketches_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

func network(seed uint64, layers int) *zoo.Model {
	s := zoo.Shape{Layers: layers, Hidden: 64, Width: 256, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 20}
	return zoo.Random(rand.New(rand.NewPCG(seed, 8)), s, zoo.Quirks{Common: 0.5})
}

// noised is a descendant whose weights are its parent's plus noise.
func noised(m *zoo.Model, seed uint64, size float64) *zoo.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	c := m.Clone()
	for _, t := range c.Tensors() {
		for i, v := range c.Values(t.Name) {
			c.Values(t.Name)[i] = v + float32(size*r.NormFloat64())
		}
	}
	return c
}

// upscaled repeats every layer n times.
func upscaled(m *zoo.Model, n int) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	for _, t := range m.Tensors() {
		var l int
		var rest string
		if k, _ := fmt.Sscanf(t.Name, "model.layers.%d.%s", &l, &rest); k < 2 {
			out.Add(t.Name, m.Values(t.Name), t.Shape...)
			continue
		}
		for i := range n {
			out.Add(fmt.Sprintf("model.layers.%d.%s", l*n+i, rest), m.Values(t.Name), t.Shape...)
		}
	}
	return out
}

func answered(t testing.TB, c *commitment.Challenge, m *zoo.Model) []commitment.AxisSketch {
	s, err := commitment.SketchUnder(context.Background(), m, c)
	require.NoError(t, err)
	return s
}

func challenge(t testing.TB, beacon string) *commitment.Challenge {
	c, err := commitment.NewChallenge(beacon, 16, commitment.Commitment{})
	require.NoError(t, err)
	return c
}

func TestAnswersOfRelativesAndStrangers(t *testing.T) {
	c := challenge(t, "x")
	base := network(1, 4)
	a := answered(t, c, base)
	for name, x := range map[string]struct {
		m    *zoo.Model
		find bool
	}{
		"the same":              {base, true},
		"10 % noise":            {noised(base, 1, 0.1), true},
		"as much noise as base": {noised(base, 2, 1), true},
		"every layer twice":     {upscaled(noised(base, 3, 0.3), 2), true},
		"a stranger":            {network(2, 4), false},
		"a deeper stranger":     {network(3, 9), false},
	} {
		r := sketches.TestAnswers(c.Digest(), a, answered(t, c, x.m))
		t.Log(name, r.Matching, "of", r.Pairs, "on", r.Axes, "axes, log10 p", r.P.Log10(), "agreement", r.Agreement)
		require.Equal(t, x.find, r.P.Log10() < -9, name)
		if name == "the same" {
			require.Equal(t, r.Pairs, r.Matching)
			require.InDelta(t, 1, r.Agreement, 0)
		}
	}
}

// The bound holds over many strangers and challenges, also between networks
// that both repeat their layers, where counting every repeat would break it.
func TestAnswersOfStrangersAreConservative(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 60
	}
	small := func(seed uint64) *zoo.Model {
		s := zoo.Shape{Layers: 2, Hidden: 64, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 8, Vocab: 4}
		return zoo.Random(rand.New(rand.NewPCG(seed, 9)), s, zoo.Quirks{})
	}
	for name, make := range map[string]func(uint64) *zoo.Model{
		"plain":    small,
		"repeated": func(s uint64) *zoo.Model { return upscaled(small(s), 3) },
	} {
		below := map[float64]int{}
		for i := range n {
			c := challenge(t, fmt.Sprint(i))
			r := sketches.TestAnswers(c.Digest(), answered(t, c, make(uint64(2*i))), answered(t, c, make(uint64(2*i+1))))
			require.Equal(t, 2, r.Axes, name)
			for _, level := range []float64{0.1, 0.01} {
				if float64(r.P) <= math.Log(level) {
					below[level]++
				}
			}
		}
		for level, k := range below {
			// Four standard errors above the nominal rate.
			require.LessOrEqual(t, float64(k), float64(n)*level+4*math.Sqrt(float64(n)*level), "%s: p ≤ %g", name, level)
		}
	}
}

// What a stranger who may choose which of its sketches stay honest can reach
// by chance stays below what Forged allows it.
func TestForgedIsABound(t *testing.T) {
	c := challenge(t, "y")
	a, b := answered(t, c, network(5, 6)), answered(t, c, network(6, 6))
	r := sketches.TestAnswers(c.Digest(), a, b)
	require.Zero(t, r.Forged(stats.LogP(math.Log(1e-9))), "strangers need no forgery to be strangers")
	all := sketches.AnswersResult{Axes: 6, Matching: 120, Pairs: 120}
	must := all.Forged(stats.LogP(math.Log(1e-9)))
	require.Greater(t, must, 20)
	// A greedy forger: junk in place of whatever stands between a pair and its match.
	honest := 0
	for k := range b {
		kept := a[k]
		kept.Eligible = append([]bool{}, kept.Eligible...)
		for {
			r := sketches.TestAnswers(c.Digest(), []commitment.AxisSketch{kept}, []commitment.AxisSketch{b[k]})
			if r.Pairs == 0 || r.Matching == r.Pairs {
				honest += r.Matching
				break
			}
			kept.Eligible[first(kept.Eligible)] = false
		}
	}
	require.Less(t, honest, 120-must)
}

func first(v []bool) int {
	for i, x := range v {
		if x {
			return i
		}
	}
	return 0
}
