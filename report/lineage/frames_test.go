package lineage

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

// from is a layer of a model.
type from struct {
	m     *zoo.Model
	layer int
}

// built is m with these layers instead of its own, and so many more tokens.
func built(r *rand.Rand, m *zoo.Model, more int, layers ...from) *zoo.Model {
	out := zoo.New()
	for k, v := range m.Meta {
		out.Meta[k] = v
	}
	out.Meta["config.num_hidden_layers"] = int64(len(layers))
	for _, t := range m.Tensors() {
		if strings.HasPrefix(t.Name, "model.layers.") {
			continue
		}
		v, shape := append([]float32(nil), m.Values(t.Name)...), append([]int64(nil), t.Shape...)
		if len(shape) == 2 {
			for range more * int(shape[1]) {
				v = append(v, float32(r.NormFloat64()))
			}
			shape[0] += int64(more)
		}
		out.Add(t.Name, v, shape...)
	}
	for to, l := range layers {
		for _, t := range l.m.Tensors() {
			if part, ok := strings.CutPrefix(t.Name, fmt.Sprintf("model.layers.%d.", l.layer)); ok {
				out.Add(fmt.Sprintf("model.layers.%d.%s", to, part), append([]float32(nil), l.m.Values(t.Name)...), t.Shape...)
			}
		}
	}
	return out
}

// tuned is a model some way from another, relative to its values.
func tuned(r *rand.Rand, m *zoo.Model, far float64) *zoo.Model {
	out := m.Clone()
	for _, t := range out.Tensors() {
		v := out.Values(t.Name)
		for i := range v {
			v[i] += float32(far * float64(v[i]) * r.NormFloat64())
		}
	}
	return out
}

// sideBySide are models as the graph sees them before any two are compared.
func sideBySide(t *testing.T, models ...*zoo.Model) *builder {
	t.Helper()
	b := newBuilder(make([]report.Input, len(models)))
	var all []*sampled
	for i, m := range models {
		b.in[i] = report.Input{Ref: fmt.Sprint(i), Model: m}
		s, err := sampleValues(context.Background(), roles.Map(m), wholeValues)
		require.NoError(t, err)
		all = append(all, s)
	}
	b.vecs = newVectors(all)
	return b
}

// Layers find those that they were made of, wherever these stand, and strangers' none.
func TestLayersFindTheirOrigin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	base := drawn(1)
	m := tuned(r, base, 0.3)
	b := sideBySide(t, base, built(r, m, 0, from{m, 0}, from{m, 1}, from{m, 1}, from{m, 2}), built(r, m, 16, from{m, 2}, from{m, 0}), drawn(9), built(r, drawn(8), 0, from{drawn(8), 0}))
	f := b.vecs.frames
	for model, origins := range map[int][]string{1: {"0", "1", "1", "2"}, 2: {"2", "0"}} {
		n := 0
		for _, row := range f.matched([]int{0, model}) {
			own, its := f.all[model].Slots[row[1]], f.all[0].Slots[row[0]]
			if own.layer == "" {
				continue
			}
			var l int
			_, err := fmt.Sscanf(own.layer, "layers.%d", &l)
			require.NoError(t, err)
			require.Equal(t, "layers."+origins[l], its.layer, "model %d", model)
			require.Equal(t, own.kind, its.kind)
			n++
		}
		require.Equal(t, 7*len(origins), n, "model %d", model)
		require.Less(t, b.vecs.apart(0, model), corresponding)
	}
	require.Empty(t, f.matched([]int{0, 4}), "a stranger")
	require.Greater(t, b.vecs.apart(0, 3), corresponding)
	require.False(t, b.corresponds(0, 4))
	require.True(t, b.lacks(2, 0, 1) && b.lacks(2, 1, 0) && !b.lacks(1, 0, 2), "who lost a layer hands down none")
}

// The way to a model of another shape leads over its parent, not over its siblings, and
// from a longer or wider one back to the origin's shape over none.
func TestWaysBetweenShapes(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 5))
		base := drawn(seed)
		x, y := tuned(r, base, 0.1), tuned(r, base, 0.1)
		deep := func(m *zoo.Model, far float64) *zoo.Model {
			return tuned(r, built(r, m, 0, from{m, 0}, from{m, 1}, from{m, 1}, from{m, 2}), far)
		}
		u := deep(base, 0.1)
		b := sideBySide(t, base, x, y, deep(x, 0.1), u, tuned(r, u, 0.05), built(r, u, 16, from{u, 0}, from{u, 1}, from{u, 2}, from{u, 3}), deep(base, 0), tuned(r, deep(base, 0), 0.1))
		v := b.vecs
		require.True(t, v.continues(0, 1, 3), "seed %d: of a tuned one, with a layer repeated", seed)
		require.False(t, v.continues(0, 2, 3) || v.continues(0, 4, 3), "seed %d: of its siblings", seed)
		require.True(t, v.continues(0, 4, 5), "seed %d: tuned after a layer was repeated", seed)
		require.True(t, v.continues(0, 4, 6) && !b.strays(0, 4, 6), "seed %d: tokens added after a layer was repeated", seed)
		require.True(t, v.continues(0, 7, 8), "seed %d: nothing but the shape tells", seed)
		require.True(t, b.strays(0, 4, 1) && b.strays(0, 6, 5) && !b.strays(0, 1, 4), "seed %d: back to the origin's shape", seed)
	}
}

// Who gave which layers is found, of one depth and of another; one who was trained on, or
// has all layers of one, was given none.
func TestDonors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	base := drawn(1)
	x, y := tuned(r, base, 0.1), tuned(r, base, 0.1)
	deep := built(r, x, 0, from{x, 0}, from{x, 1}, from{y, 1}, from{y, 2})
	b := sideBySide(t, base, x, y,
		built(r, x, 0, from{x, 0}, from{y, 1}, from{y, 2}), deep, tuned(r, deep, 0.05), x.Clone(), tuned(r, base, 0.1))
	members := []int{0, 1, 2, 7}
	for c, want := range map[int][]int{3: {2, 1}, 4: {1, 2}, 5: nil, 6: nil, 7: nil} {
		require.Equal(t, want, b.donors(c, 0, members), "model %d", c)
	}
}

// Of a model and two that hold a half of it each these were put together, and not the
// model of them; one that has its layers in another order is no splice.
func TestHalvesWereTakenFromTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	base := drawn(1)
	x, y, z := tuned(r, base, 0.1), tuned(r, base, 0.1), tuned(r, base, 0.1)
	stacked := built(r, x, 0, from{y, 0}, from{y, 1}, from{z, 1}, from{z, 2})
	b := sideBySide(t, base, x, y, z,
		built(r, x, 0, from{x, 0}, from{y, 1}, from{y, 2}), built(r, x, 0, from{z, 0}, from{x, 1}, from{x, 2}),
		built(r, x, 0, from{z, 1}, from{y, 0}, from{y, 1}, from{z, 2}), stacked)
	members := []int{0, 1, 2, 3, 4, 5, 6, 7}
	require.Equal(t, []int{5, 4}, b.donors(1, 0, members), "so far nothing tells")
	use := b.byUse(0, members)
	require.Less(t, slices.Index(use, 4), slices.Index(use, 1))
	require.Less(t, slices.Index(use, 5), slices.Index(use, 1))
	require.Less(t, slices.Index(use, 7), slices.Index(use, 6), "in order first")
	require.True(t, b.vecs.frames.holds(7, 6))
	require.Nil(t, b.donors(1, 0, []int{0, 1, 2, 3}), "the halves give nothing")
}

// Layers of models of one shape find each other where they were swapped, and a head that
// was replaced hides no parent.
func TestSwappedLayersAndOtherHeads(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	base := drawn(1)
	x, y := tuned(r, base, 0.1), tuned(r, base, 0.1)
	swapped := tuned(r, built(r, x, 0, from{x, 1}, from{x, 0}, from{x, 2}), 0.05)
	headed := tuned(r, x, 0.05)
	for i := range headed.Values("lm_head.weight") {
		headed.Values("lm_head.weight")[i] = float32(r.NormFloat64())
	}
	v := sideBySide(t, base, x, y, swapped, headed).vecs
	for _, c := range []int{3, 4} {
		require.True(t, v.continues(0, 1, c), "model %d", c)
		require.False(t, v.continues(0, 2, c), "model %d", c)
	}
}

// A pruned copy differs from its parent where one is zero; a model that takes values
// from two differs elsewhere too.
func TestOnlyZeros(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	x, y := normal(r, 2000), normal(r, 2000)
	cut, chosen := slices.Clone(x), slices.Clone(x)
	for i := range x {
		if i%3 == 0 {
			cut[i], chosen[i] = 0, y[i]
		}
	}
	require.True(t, onlyZeros([][]float32{x}, [][]float32{cut}))
	require.True(t, onlyZeros([][]float32{cut}, [][]float32{x}))
	require.False(t, onlyZeros([][]float32{x}, [][]float32{chosen}))
	require.False(t, onlyZeros([][]float32{x}, [][]float32{x}))
}

// Products that are taken four at a time, and those that are kept, have the bits of one.
func TestProductsHaveTheirBits(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0xd07))
	rows := make([][]float32, 5)
	for i := range rows {
		for range 37 {
			rows[i] = append(rows[i], float32(r.NormFloat64()))
		}
	}
	got := dots(rows[4], (*[4][]float32)(rows[:4]))
	for i := range got {
		require.Equal(t, dot(rows[4], rows[i]), got[i])
	}
	same := func(values []float32) *sampled {
		return &sampled{Shape: "one", Slots: []slot{{kind: "w", rows: 1, cols: 37}}, Values: [][]float32{values}, Weights: []float64{1}}
	}
	var all []*sampled
	for _, x := range rows {
		all = append(all, same(x))
	}
	v := newVectors(all)
	for i, x := range rows {
		for j, y := range rows {
			require.Equal(t, dot(x, y), v.gram[i][j])
			require.InDelta(t, dot(x, y)/math.Sqrt(dot(x, x)*dot(y, y)), v.frames.cosine(i, 0, j, 0), 1e-12)
		}
	}
}
