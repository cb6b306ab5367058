package calibrated_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

// heldOut is the pooled share and the pooled cosine.
func heldOut(t *testing.T, a, b *zoo.Model, budget int64) (share, cosine similarity.Evidence) {
	t.Helper()
	p := align.NewPair(align.NewSubject("a", a, nil), align.NewSubject("b", b, nil), []byte{1}, budget)
	all, err := similarity.Run(context.Background(), p, []*similarity.Test{calibrated.HeldOut()})
	require.NoError(t, err)
	require.Equal(t, "held-out-agreement", all[0].Test)
	require.Equal(t, "held-out-cosine", all[1].Test)
	for _, e := range all {
		require.Nil(t, e.P)
		require.Equal(t, similarity.Calibrated, e.Tier)
	}
	return all[0], all[1]
}

// withoutTokens shuffles the vocabulary, so that no token is left to look
// through.
func withoutTokens(r *rand.Rand, m *zoo.Model) {
	order := r.Perm(deep.Vocab)
	for _, name := range []string{"model.embed_tokens.weight", "lm_head.weight"} {
		rows := m.Values(name)
		old := append([]float32(nil), rows...)
		for i, from := range order {
			copy(rows[i*deep.Hidden:(i+1)*deep.Hidden], old[from*deep.Hidden:])
		}
	}
}

// Directions of the hidden state that nothing writes hide nothing, whatever is read there.
func TestIdleDirectionsHideNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	a, c := zoo.Random(r, deep, zoo.Quirks{}), zoo.Random(r, deep, zoo.Quirks{})
	for _, size := range []float64{1, 6} {
		b := a.Clone()
		zoo.DisguiseAll(r, b)
		zoo.Idle(r, b, 40, size)
		for range 2 { // from either side
			share, cosine := heldOut(t, a, b, 0)
			require.GreaterOrEqual(t, share.Effect, 0.99)
			require.GreaterOrEqual(t, cosine.Effect, 0.99)
			require.Contains(t, fmt.Sprint(share.Warnings), "40 directions of the hidden state")
			a, b = b, a
		}
		share, _ := heldOut(t, c, b, 0)
		require.Less(t, share.Effect, 0.04)
	}
}

func TestDisguisedCopiesWithoutTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	a := zoo.Random(r, deep, zoo.Quirks{})
	b := a.Clone()
	zoo.DisguiseAll(r, b)
	withoutTokens(r, b)
	share, cosine := heldOut(t, a, b, 0)
	require.GreaterOrEqual(t, share.Effect, 0.99)
	require.GreaterOrEqual(t, cosine.Effect, 0.99)
	require.Empty(t, share.Warnings)
	c := zoo.Random(r, deep, zoo.Quirks{})
	share, cosine = heldOut(t, a, c, 0)
	require.Less(t, share.Effect, 0.04)
	require.Less(t, cosine.Effect, 0.45)
}

// TestMatricesUnderOneAnothersNames exchanges the names of gates and ups of a disguised
// copy, in all layers: no name is binding.
func TestMatricesUnderOneAnothersNames(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	a := zoo.Random(r, deep, zoo.Quirks{})
	b := a.Clone()
	zoo.DisguiseAll(r, b)
	withoutTokens(r, b)
	exchangeGates(b)
	share, _ := heldOut(t, a, b, 0)
	require.GreaterOrEqual(t, share.Effect, 0.95)
	require.NotEmpty(t, share.Warnings)
	c := zoo.Random(r, deep, zoo.Quirks{})
	exchangeGates(c)
	share, _ = heldOut(t, a, c, 0)
	require.Less(t, share.Effect, 0.04)
}

// exchangeGates gives the gate of every layer the values of its up matrix and the reverse.
func exchangeGates(m *zoo.Model) {
	for l := range deep.Layers {
		gate := m.Values(fmt.Sprintf("model.layers.%d.mlp.gate_proj.weight", l))
		up := m.Values(fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", l))
		for i := range gate {
			gate[i], up[i] = up[i], gate[i]
		}
	}
}

// TestLayersAreFoundWithoutPlaces takes a layer out of a disguised copy.
func TestLayersAreFoundWithoutPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	s := deep
	s.Layers = 5
	a := zoo.Random(r, s, zoo.Quirks{})
	b := zoo.New()
	full := a.Clone()
	zoo.DisguiseAll(r, full)
	for _, x := range full.Tensors() {
		name, keep := without(x.Name, 1)
		if keep {
			b.Add(name, full.Values(x.Name), x.Shape...)
		}
	}
	b.Meta = full.Meta
	share, _ := heldOut(t, a, b, 0)
	require.GreaterOrEqual(t, share.Effect, 0.95)
	require.Contains(t, share.Warnings, "layers were paired by what no change of basis alters")
}

// without renames a tensor of a stack for a stack that lacks one layer.
func without(name string, layer int) (string, bool) {
	const prefix = "model.layers."
	if len(name) < len(prefix)+1 || name[:len(prefix)] != prefix {
		return name, true
	}
	at := int(name[len(prefix)] - '0')
	switch {
	case at == layer:
		return "", false
	case at > layer:
		at--
	}
	return prefix + string(rune('0'+at)) + name[len(prefix)+1:], true
}

func TestHeldOutSaysWhyItDidNotRun(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	a := zoo.Random(r, deep, zoo.Quirks{})
	share, cosine := heldOut(t, a, a, 1000)
	require.Equal(t, "fewer than two whole layers fit the budget", share.Skipped)
	require.Equal(t, share.Skipped, cosine.Skipped)
	one := deep
	one.Layers = 1
	b := zoo.Random(r, one, zoo.Quirks{})
	share, _ = heldOut(t, b, b, 0)
	require.Contains(t, share.Skipped, "fewer than two layers")
}
