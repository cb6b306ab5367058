package axis

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

// axesOf reads the axes of a stage.
func axesOf(t *testing.T, a, b *zoo.Model, stage int) []*Axis {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	axes, err := Read(context.Background(), p, stage)
	require.NoError(t, err)
	return axes
}

func axis(t *testing.T, axes []*Axis, name, coordinates string) *Axis {
	t.Helper()
	for _, x := range axes {
		if x.Name == name && x.Coordinates == coordinates {
			return x
		}
	}
	require.Fail(t, "no axis "+name)
	return nil
}

var shape = zoo.Shape{Layers: 3, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200, Untied: true}

// Units that were scaled at random divide their strength between gate and up
// less evenly than those that training balances.
func TestImbalance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	n := zoo.NewNet(r, 2, 24, 64, 48)
	n.Train(r, zoo.NewChain(r, 48), 60, 16, 4e-3)
	trained := n.Model()
	scaled := trained.Clone()
	zoo.ScaleUpDown(r, scaled)
	x := axis(t, axesOf(t, trained, scaled, 0), "layers.1.mlp", "raw")
	require.NotNil(t, x.Imbalance)
	// Half of all normal deviates are below 0.6745 in size.
	require.InDelta(t, 0.6745, x.Imbalance[1], 0.2, "scaled by e to a normal deviate")
	require.Less(t, x.Imbalance[0], x.Imbalance[1]/3)
	// The logarithm of the ratio of two lengths of d Gaussian values has a variance of 1/d.
	a, b := zoo.Random(r, shape, zoo.Quirks{}), zoo.Random(r, shape, zoo.Quirks{})
	x = axis(t, axesOf(t, a, b, 0), "layers.1.mlp", "raw")
	for _, v := range x.Imbalance {
		require.InDelta(t, 0.6745/8, v, 0.04)
	}
	for _, x := range axesOf(t, a, b, 0) {
		require.Equal(t, x.Component == "mlp", x.Imbalance != nil, x.Name)
	}
}

// Layers count as repeated where both networks repeat them.
func TestRepeats(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	draw := func(repeated bool) *zoo.Model {
		m := zoo.Random(r, shape, zoo.Quirks{})
		for _, x := range m.Tensors() {
			if rest, ok := strings.CutPrefix(x.Name, "model.layers.0."); ok && repeated {
				to := m.Values("model.layers.2." + rest)
				for k, v := range m.Values(x.Name) {
					to[k] = v * (1 + 0.2*float32(r.NormFloat64())) // trained on since
				}
			}
		}
		return m
	}
	for i, c := range []struct{ a, b bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		axes := axesOf(t, draw(c.a), draw(c.b), 0)
		for _, part := range []string{"mlp", "attn.v.0", "attn.v.1"} {
			x, y, z := axis(t, axes, "layers.0."+part, "raw"), axis(t, axes, "layers.2."+part, "raw"), axis(t, axes, "layers.1."+part, "raw")
			require.Equal(t, c.a && c.b, x.Repeats(y), "case %d, %s", i, part)
			require.Equal(t, x.Repeats(y), y.Repeats(x))
			require.False(t, x.Repeats(z))
			require.True(t, x.Repeats(x))
		}
	}
}

// On token-anchored coordinates the cosines of units are what they were, however
// the residual stream was turned.
func TestAnchoredCoordinatesIgnoreTheBasis(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	a, b := zoo.Random(r, shape, zoo.Quirks{}), zoo.Random(r, shape, zoo.Quirks{})
	turned := b.Clone()
	zoo.RotateResidual(r, turned)
	before, after := axesOf(t, a, b, 1), axesOf(t, a, turned, 1)
	for _, name := range []string{"layers.1.mlp", "layers.2.attn.v.1"} {
		x, y := axis(t, before, name, "anchored"), axis(t, after, name, "anchored")
		require.Equal(t, len(x.Views), len(y.Views))
		for i := range x.Views {
			require.InDeltaSlice(t, x.Views[i].Cosine, y.Views[i].Cosine, 1e-4, "%s %s", name, x.Views[i].Name)
		}
		raw, other := axis(t, before, name, "raw"), axis(t, after, name, "raw")
		off := 0.0
		for k, c := range raw.Views[0].Cosine {
			off += float64((c - other.Views[0].Cosine[k]) * (c - other.Views[0].Cosine[k]))
		}
		require.Greater(t, off/float64(len(raw.Views[0].Cosine)), 1e-3, "raw ones are not")
	}
}
