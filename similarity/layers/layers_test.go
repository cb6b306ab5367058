package layers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/layers"
)

// restacked is a network with the given layers of m, in that order, trained on a
// little; -1 stands for a layer of a stranger.
func restacked(r *rand.Rand, m, stranger *zoo.Model, order []int) *zoo.Model {
	out := zoo.New()
	for k, v := range m.Meta {
		out.Meta[k] = v
	}
	add := func(from *zoo.Model, old, name string) {
		v := append([]float32(nil), from.Values(old)...)
		for i := range v {
			v[i] += 0.3 * float32(r.NormFloat64())
		}
		t, _ := from.Tensor(old)
		out.Add(name, v, t.Shape...)
	}
	for _, t := range m.Tensors() {
		if !strings.HasPrefix(t.Name, "model.layers.") {
			add(m, t.Name, t.Name)
		}
	}
	for to, from := range order {
		source := m
		if from < 0 {
			source, from = stranger, 0
		}
		for _, t := range source.Tensors() {
			if rest, ok := strings.CutPrefix(t.Name, fmt.Sprintf("model.layers.%d.", from)); ok {
				add(source, t.Name, fmt.Sprintf("model.layers.%d.%s", to, rest))
			}
		}
	}
	return out
}

func pair(a, b *zoo.Model) *align.Pair {
	return align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
}

func sources(m *layers.Result) (out []int) {
	for b, p := range m.Pairs {
		if p.B != b {
			return nil
		}
		out = append(out, p.A)
	}
	return out
}

func TestMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	s := zoo.Shape{Layers: 6, Hidden: 48, Width: 160, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 96}
	m, stranger := zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{})
	rotated := func(b *zoo.Model) *zoo.Model { zoo.RotateResidual(r, b); return b }
	for _, c := range []struct {
		name    string
		order   []int
		after   func(*zoo.Model) *zoo.Model
		want    []int
		changed bool
		repeats bool // several layers of A are one of B; the reverse when the two change places
	}{
		{"as it was", []int{0, 1, 2, 3, 4, 5}, nil, []int{0, 1, 2, 3, 4, 5}, false, false},
		{"dropped", []int{0, 1, 4, 5}, nil, []int{0, 1, 4, 5}, true, false},
		{"upscaled", []int{0, 1, 2, 3, 2, 3, 4, 5}, nil, []int{0, 1, 2, 3, 2, 3, 4, 5}, true, false},
		{"swapped", []int{0, 4, 2, 3, 1, 5}, nil, []int{0, 4, 2, 3, 1, 5}, true, false},
		{"one foreign", []int{0, -1, 2, 3, 4, 5}, nil, []int{0, 1, 2, 3, 4, 5}, false, false},
		{"one inserted", []int{0, 1, -1, 2, 3, 4, 5}, nil, []int{0, 1, 2, 2, 3, 4, 5}, true, false},
		{"dropped and rotated", []int{1, 2, 3, 5}, rotated, []int{1, 2, 3, 5}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := restacked(r, m, stranger, c.order)
			if c.after != nil {
				b = c.after(b)
			}
			p := pair(m, b)
			got, err := layers.Map(context.Background(), p, p.Towers[0])
			require.NoError(t, err)
			require.Equal(t, c.want, sources(got))
			require.Equal(t, c.changed, got.Changed)
			require.Equal(t, c.repeats, got.Repeats)
			require.NotEmpty(t, got.Held)
			// Units that chose the map are in no axis read afterwards.
			p.Follow(0, got.Pairs, got.Held)
			axes, err := axis.Read(context.Background(), p, 0)
			require.NoError(t, err)
			for _, x := range axes {
				if x.Component == "mlp" {
					require.NotEmpty(t, x.B.Units)
					for _, u := range got.Held {
						require.NotContains(t, x.B.Units, u)
					}
				}
			}
		})
	}
}

// Seen from the upscaled network, its layers point to one layer twice.
func TestMapSeesRepeats(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	s := zoo.Shape{Layers: 4, Hidden: 48, Width: 160, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 96}
	m, stranger := zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{})
	for order, want := range map[string]bool{"upscaled": true, "with a foreign layer": false} {
		stack := []int{0, 1, 2, 1, 2, 3}
		if !want {
			stack = []int{0, 1, 2, -1, 3}
		}
		p := pair(restacked(r, m, stranger, stack), m)
		got, err := layers.Map(context.Background(), p, p.Towers[0])
		require.NoError(t, err)
		require.Equal(t, want, got.Repeats, order)
	}
}

// Units that were cut keep their order, and show the layers by it.
func TestMapOfPrunedUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	s := zoo.Shape{Layers: 5, Hidden: 48, Width: 120, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 96}
	m := zoo.Random(r, s, zoo.Quirks{})
	whole := restacked(r, m, m, []int{0, 2, 3})
	cut := zoo.New()
	kept := r.Perm(120)[:80]
	in := make([]bool, 120)
	for _, u := range kept {
		in[u] = true
	}
	for _, t := range whole.Tensors() {
		v, shape := whole.Values(t.Name), append([]int64(nil), t.Shape...)
		if strings.Contains(t.Name, "mlp.") {
			var out []float32
			for i, x := range v {
				unit := i / 48 // rows of gate and up, columns of down
				if strings.Contains(t.Name, "down") {
					unit = i % 120
				}
				if in[unit] {
					out = append(out, x)
				}
			}
			v = out
			for k, n := range shape {
				if n == 120 {
					shape[k] = 80
				}
			}
		}
		cut.Add(t.Name, v, shape...)
	}
	for k, v := range whole.Meta {
		cut.Meta[k] = v
	}
	p := pair(m, cut)
	got, err := layers.Map(context.Background(), p, p.Towers[0])
	require.NoError(t, err)
	require.Equal(t, []int{0, 2, 3}, sources(got))
}

// Strangers get no map of their own.
func TestMapOfStrangers(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 4))
		s := zoo.Shape{Layers: 4, Hidden: 48, Width: 96, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 96}
		p := pair(zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{Ties: 0.3}))
		got, err := layers.Map(context.Background(), p, p.Towers[0])
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 2, 3}, sources(got))
		require.False(t, got.Changed)
		require.False(t, got.Repeats)
	}
}
