package similarity

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

// axesOf reads the axes of a look.
func axesOf(t *testing.T, a, b *zoo.Model, look int) []*Axis {
	t.Helper()
	p := NewPair(&Subject{Name: "a", Net: roles.Map(a)}, &Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), 0)
	axes, err := p.Axes(context.Background(), look)
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

func TestSharedTokens(t *testing.T) {
	a := []string{"<s>", "Ġthe", "cat", "dog", "twice", "twice", ""}
	b := []string{"dog", "[unused1]", "▁the", "</s>", "twice", "dog", "beyond"}
	require.Equal(t, TokenMatch{A: []int{3, 1}, B: []int{0, 2}, How: "string"}, SharedTokens(a, b, 7, 6))
	require.Equal(t, TokenMatch{A: []int{3}, B: []int{0}, How: "string"}, SharedTokens(a, b, 7, 2))
	require.Equal(t, TokenMatch{A: []int{0, 1, 2}, B: []int{0, 1, 2}, How: "index"}, SharedTokens(nil, b, 3, 5))
}

// The power that is stated is that of children with the cosine it is stated for.
func TestPower(t *testing.T) {
	const cosine = 0.3
	r := rand.New(rand.NewPCG(6, 1))
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200}
	a, b := zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{})
	for _, x := range a.Tensors() {
		if child := b.Values(x.Name); len(x.Shape) == 2 {
			for k, v := range a.Values(x.Name) {
				child[k] = cosine*v + float32(0.9539392)*child[k]
			}
		}
	}
	var mlp []*Axis
	found := 0
	for _, x := range axesOf(t, a, b, 0) {
		if x.Component != "mlp" {
			continue
		}
		mlp = append(mlp, x)
		v, n := x.Views[0], len(x.A.Units) // one view, as the power assumes
		found += onDiagonal(v.Cosine, n)
	}
	require.Len(t, mlp, 4)
	p := FixedPointPower(mlp, cosine, -20)
	require.Equal(t, 4, p.Axes)
	require.Equal(t, 256, p.Units)
	require.InDelta(t, float64(found), p.Expected, 30, fmt.Sprint(p))
	require.True(t, p.Reached)
	require.False(t, FixedPointPower(mlp, 0.02, -20).Reached)
	require.False(t, FixedPointPower(nil, cosine, -20).Reached)
}

func TestRareTokens(t *testing.T) {
	of := func(n int) *roles.Tower { return &roles.Tower{Embedding: &roles.Matrix{Rows: n, Cols: 4}} }
	pair := func(a, b []string) *Pair { return &Pair{A: &Subject{Tokens: a}, B: &Subject{Tokens: b}} }
	for _, c := range []struct {
		name         string
		a, b         []string
		rowsA, rowsB int
		n            int
		want         TokenMatch
	}{
		{"padding, then control tokens, then the last", []string{"<s>", "x", "y", "z", "", "<e>"}, []string{"<s>", "x", "y", "q", "[PAD4]", "<o>"}, 8, 7, 4, TokenMatch{A: []int{6, 4, 0, 2}, B: []int{6, 4, 0, 2}, How: "string"}},
		{"control tokens at other places", []string{"<s>", "a", "b"}, []string{"b", "<s>"}, 3, 2, 9, TokenMatch{A: []int{0, 2}, B: []int{1, 0}, How: "string"}},
		{"no strings", nil, []string{"x"}, 5, 4, 2, TokenMatch{A: []int{2, 3}, B: []int{2, 3}, How: "index"}},
	} {
		got := pair(c.a, c.b).RareTokens(TowerPair{A: of(c.rowsA), B: of(c.rowsB)}, c.n)
		require.Equal(t, c.want, got, c.name)
	}
	require.Equal(t, TokenMatch{A: []int{1, 2, 4}, B: []int{1, 3, 5}, How: "string"},
		TokenMatch{A: []int{1, 2}, B: []int{1, 3}, How: "string"}.With(TokenMatch{A: []int{2, 7, 4}, B: []int{9, 1, 5}}))
}
