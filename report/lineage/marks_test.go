package lineage

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	mixture "github.com/weightprint/weightprint/similarity/recipe"
)

var small = zoo.Shape{Layers: 3, Hidden: 48, Width: 64, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 80, Untied: true}

func drawn(seed uint64) *zoo.Model {
	return zoo.Random(rand.New(rand.NewPCG(seed, 7)), small, zoo.Quirks{Gains: 0.2})
}

func marked(t *testing.T, m *zoo.Model) *marks {
	out, _, err := mark(context.Background(), report.Input{Model: m}, wholeValues, nil)
	require.NoError(t, err)
	require.Len(t, out.heads, small.Layers)
	require.NotNil(t, out.print)
	return out
}

// No disguise alters what heads show, and strangers show something else.
func TestHeadsSeeThroughDisguises(t *testing.T) {
	m := drawn(1)
	own := marked(t, m)
	for _, d := range zoo.Disguises {
		c := m.Clone()
		d.Apply(rand.New(rand.NewPCG(2, 2)), c)
		alike, ok := resemble(own, marked(t, c))
		require.True(t, ok, d.Name)
		require.Greater(t, alike, 0.999, d.Name)
	}
	all := m.Clone()
	zoo.DisguiseAll(rand.New(rand.NewPCG(2, 2)), all)
	require.Greater(t, held(own, marked(t, all), nil).alike, 0.999)
	n := held(own, marked(t, drawn(2)), nil)
	require.Less(t, n.alike, 0.5)
	require.False(t, n.lead)
}

// blend is a share of one model and the rest of another.
func blend(a, b *zoo.Model, share float32) *zoo.Model {
	out := a.Clone()
	for _, x := range out.Tensors() {
		v, w := out.Values(x.Name), b.Values(x.Name)
		for i := range v {
			v[i] = float32(share*v[i]) + float32((1-share)*w[i])
		}
	}
	return out
}

// One matrix is enough to tell that a model is no mixture, and a layer to tell which.
func TestOneMatrixRefuses(t *testing.T) {
	base := drawn(1)
	a, b := blend(base, drawn(2), 0.9), blend(base, drawn(3), 0.9)
	var in []report.Input
	for _, m := range []*zoo.Model{blend(a, b, 0.5), blend(base, drawn(4), 0.9), a, b, base} {
		in = append(in, report.Input{Model: m})
	}
	ctx := context.Background()
	x := newBuilder(in)
	r, err := x.fitMixture(ctx, 0, 2, 3, 4)
	require.NoError(t, err)
	require.True(t, exact(r))
	require.Equal(t, mixture.Linear, r.Method)
	require.Len(t, x.fits, 2, "a matrix, then its layer")
	r, err = x.fitMixture(ctx, 1, 2, 3, 4)
	require.NoError(t, err)
	require.False(t, exact(r))
	require.Len(t, x.fits, 3, "the matrix alone")
}
