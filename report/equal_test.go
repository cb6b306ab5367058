package report_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// changed copies a model tensor by tensor; change returns the new name, values and
// shape.
func changed(m *zoo.Model, change func(name string, v []float32, shape []int64) (string, []float32, []int64)) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	for _, t := range m.Tensors() {
		name, v, shape := change(t.Name, append([]float32(nil), m.Values(t.Name)...), t.Shape)
		out.Add(name, v, shape...)
	}
	return out
}

func transposedValues(v []float32, rows, cols int) []float32 {
	out := make([]float32, len(v))
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = v[r*cols+c]
		}
	}
	return out
}

// Identity is asked of values: whatever names, axes and orders do to a file, the
// verdict says what became of its values, and no more.
func TestEqualValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0xe9))
	base := zoo.Random(r, zoo.Shape{Layers: 4, Hidden: 48, Width: 128, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 256, Untied: true}, zoo.Quirks{Gains: 0.2})
	number := 0
	count := func() string { number++; return "x." + strconv.Itoa(number) + ".w" }
	same := func(name string, v []float32, shape []int64) (string, []float32, []int64) { return name, v, shape }
	for _, c := range []struct {
		name     string
		child    *zoo.Model
		relation verdict.Relation
		kinds    []verdict.Kind
	}{
		{"nothing", changed(base, same), verdict.Identical, []verdict.Kind{}},
		{"names", changed(base, func(_ string, v []float32, s []int64) (string, []float32, []int64) { return count(), v, s }), verdict.Reencoded, []verdict.Kind{verdict.Repackaged}},
		{"names and axes", changed(base, func(_ string, v []float32, s []int64) (string, []float32, []int64) {
			if len(s) == 2 {
				return count(), transposedValues(v, int(s[0]), int(s[1])), []int64{s[1], s[0]}
			}
			return count(), v, s
		}), verdict.Reencoded, []verdict.Kind{verdict.Repackaged}},
		{"a wrapper in the names", changed(base, func(n string, v []float32, s []int64) (string, []float32, []int64) {
			return strings.Replace(n, "model.", "model._orig_mod.", 1), v, s
		}), verdict.Reencoded, []verdict.Kind{verdict.Repackaged}},
		{"order of layers", changed(base, func(n string, v []float32, s []int64) (string, []float32, []int64) {
			return strings.NewReplacer("layers.1.", "layers.2.", "layers.2.", "layers.1.").Replace(n), v, s
		}), verdict.Related, []verdict.Kind{verdict.LayersReordered}},
		{"one number on all matrices", changed(base, func(n string, v []float32, s []int64) (string, []float32, []int64) {
			for i := range v {
				if len(s) == 2 {
					v[i] *= 1.25
				}
			}
			return n, v, s
		}), verdict.Related, []verdict.Kind{verdict.Scaled}},
		{"the head", changed(base, func(n string, v []float32, s []int64) (string, []float32, []int64) {
			for i := range v {
				if n == "lm_head.weight" {
					v[i] = float32(r.NormFloat64())
				}
			}
			return n, v, s
		}), verdict.Related, []verdict.Kind{verdict.HeadChanged}},
		{"norm weights", changed(base, func(n string, v []float32, s []int64) (string, []float32, []int64) {
			for i := range v {
				if len(s) == 1 {
					v[i] *= 1.02
				}
			}
			return n, v, s
		}), verdict.Related, []verdict.Kind{verdict.Modified}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, turned := range []bool{false, true} {
				a, b := base, c.child
				if turned {
					a, b = b, a
				}
				rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				require.NoError(t, err)
				require.Equal(t, c.relation, rep.Verdict.Relation, "%v", rep.Verdict.Because)
				require.Equal(t, c.kinds, rep.Verdict.Kinds, "%v", rep.Verdict.Because)
				require.Equal(t, verdict.Undetermined, rep.Verdict.Direction)
			}
		})
	}
}

// A sample that shows no difference is no identity.
func TestEqualSoFar(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0xe9))
	base := zoo.Random(r, zoo.Shape{Layers: 4, Hidden: 48, Width: 128, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 256, Untied: true}, zoo.Quirks{Gains: 0.2})
	rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: base}, report.Input{Ref: "b", Model: base.Clone()}, &report.Options{Budget: 256 << 10})
	require.NoError(t, err)
	require.Equal(t, verdict.Related, rep.Verdict.Relation, "%v", rep.Verdict.Because)
	require.Contains(t, rep.Verdict.Kinds, verdict.EqualSoFar)
	require.ErrorIs(t, rep.Check(report.Claim{Relation: verdict.Identical}), report.ErrUnproven)
}

// Of a mixture whose experts are pruned, or stand in another order, the report says
// which expert of the one is which of the other.
func TestExpertMaps(t *testing.T) {
	const layers, hidden, width, vocab, experts = 3, 48, 64, 160, 8
	r := rand.New(rand.NewPCG(5, 0xe4))
	draw := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64()) / 8
		}
		return v
	}
	base := zoo.New()
	base.Meta["config.model_type"] = "mixtral"
	base.Add("model.embed_tokens.weight", draw(vocab*hidden), vocab, hidden)
	values := map[string][]float32{}
	for l := range layers {
		p := "model.layers." + strconv.Itoa(l) + "."
		for _, n := range []string{"q", "k", "v", "o"} {
			base.Add(p+"self_attn."+n+"_proj.weight", draw(hidden*hidden), hidden, hidden)
		}
		for e := range experts {
			for _, n := range []string{"w1", "w2", "w3"} {
				values[p+strconv.Itoa(e)+n] = draw(width * hidden)
			}
		}
	}
	with := func(chosen []int, stacked bool) *zoo.Model {
		m := changed(base, func(name string, v []float32, s []int64) (string, []float32, []int64) { return name, v, s })
		for l := range layers {
			p := "model.layers." + strconv.Itoa(l) + "."
			for n, s := range map[string][]int64{"w1": {width, hidden}, "w2": {hidden, width}, "w3": {width, hidden}} {
				var all []float32
				for _, e := range chosen {
					all = append(all, values[p+strconv.Itoa(e)+n]...)
				}
				if stacked {
					m.Add(p+"block_sparse_moe.experts."+n, all, int64(len(chosen)), s[0], s[1])
				}
			}
			for i, e := range chosen {
				if stacked {
					break
				}
				for n, s := range map[string][]int64{"w1": {width, hidden}, "w2": {hidden, width}, "w3": {width, hidden}} {
					m.Add(p+"block_sparse_moe.experts."+strconv.Itoa(i)+"."+n+".weight", values[p+strconv.Itoa(e)+n], s...)
				}
			}
		}
		return m
	}
	for name, c := range map[string]expertCase{
		"the same": {[]int{0, 1, 2, 3, 4, 5, 6, 7}, []verdict.Kind{}, 0},
		"pruned":   {[]int{1, 2, 5, 6, 7}, []verdict.Kind{verdict.Pruned}, layers},
		"permuted": {[]int{3, 1, 2, 0, 4, 7, 6, 5}, []verdict.Kind{verdict.ExpertsReordered}, layers},
		"both":     {[]int{6, 2, 5}, []verdict.Kind{verdict.Pruned, verdict.ExpertsReordered}, layers},
	} {
		for _, how := range [][2]bool{{false, false}, {true, true}, {false, true}} {
			c.check(t, name, with([]int{0, 1, 2, 3, 4, 5, 6, 7}, how[0]), with(c.chosen, how[1]))
		}
	}
}

// expertCase is a choice of a mixture's experts and what a report must say of it.
type expertCase struct {
	chosen []int
	kinds  []verdict.Kind
	maps   int
}

func (c expertCase) check(t *testing.T, name string, a, b *zoo.Model) {
	t.Helper()
	got, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
	require.NoError(t, err)
	for _, k := range []verdict.Kind{verdict.Pruned, verdict.ExpertsReordered} {
		require.Equal(t, slices.Contains(c.kinds, k), slices.Contains(got.Verdict.Kinds, k), "%s: %v", name, got.Verdict.Kinds)
	}
	var maps []report.UnitMap
	same := got.Verdict.Relation == verdict.Identical || got.Verdict.Relation == verdict.Reencoded
	require.Equal(t, name == "the same", same, got.Verdict.Because)
	for _, m := range got.Delta.Maps {
		if strings.HasSuffix(m.Axis, "experts") {
			maps = append(maps, m)
		}
	}
	require.Len(t, maps, c.maps, name)
	for _, m := range maps {
		require.Equal(t, c.chosen, m.A, name)
		require.Equal(t, 8, m.OfA)
		require.Equal(t, len(c.chosen), m.OfB)
	}
}

// The same holds of experts that lie one below the other in one matrix, as DBRX keeps
// them.
func TestPiledExpertMaps(t *testing.T) {
	const layers, hidden, width, vocab, experts = 2, 48, 64, 160, 8
	r := rand.New(rand.NewPCG(6, 0xe4))
	draw := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64()) / 8
		}
		return v
	}
	base, piles := zoo.New(), map[string][]float32{}
	base.Meta["config.model_type"], base.Meta["config.n_heads"], base.Meta["config.attn_config.kv_n_heads"] = "dbrx", int64(3), int64(1)
	base.Add("transformer.wte.weight", draw(vocab*hidden), vocab, hidden)
	for l := range layers {
		p := "transformer.blocks." + strconv.Itoa(l) + "."
		base.Add(p+"norm_attn_norm.attn.Wqkv.weight", draw((hidden+32)*hidden), hidden+32, hidden)
		base.Add(p+"norm_attn_norm.attn.out_proj.weight", draw(hidden*hidden), hidden, hidden)
		piles[p+"router.layer.weight"] = draw(experts * hidden)
		for _, n := range []string{"w1", "v1", "w2"} {
			piles[p+"experts.mlp."+n] = draw(experts * width * hidden)
		}
	}
	with := func(chosen []int) *zoo.Model {
		m := changed(base, func(name string, v []float32, s []int64) (string, []float32, []int64) { return name, v, s })
		for _, name := range slices.Sorted(maps.Keys(piles)) {
			all := piles[name]
			each := len(all) / experts
			var v []float32
			for _, e := range chosen {
				v = append(v, all[e*each:(e+1)*each]...)
			}
			p, rest, _ := strings.Cut(name, "s.")
			layer, part, _ := strings.Cut(rest, ".")
			m.Add(p+"s."+layer+".ffn."+part, v, int64(len(v)/hidden), hidden)
		}
		return m
	}
	for name, c := range map[string]expertCase{
		"the same": {[]int{0, 1, 2, 3, 4, 5, 6, 7}, []verdict.Kind{}, 0},
		"pruned":   {[]int{1, 2, 5, 6, 7}, []verdict.Kind{verdict.Pruned}, layers},
		"permuted": {[]int{3, 1, 2, 0, 4, 7, 6, 5}, []verdict.Kind{verdict.ExpertsReordered}, layers},
		"both":     {[]int{6, 2, 5}, []verdict.Kind{verdict.Pruned, verdict.ExpertsReordered}, layers},
	} {
		c.check(t, name, with([]int{0, 1, 2, 3, 4, 5, 6, 7}), with(c.chosen))
	}
}

// A part that was not compared, such as queries that lie fused with the rest, was not
// turned either.
func TestUnsplitQueriesAreNotTurned(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0xe4))
	base := zoo.New()
	draw := func(rows, cols int64) []float32 {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = float32(r.NormFloat64()) / 8
		}
		return v
	}
	base.Add("transformer.wte.weight", draw(160, 48), 160, 48)
	for l := range 3 {
		p := "transformer.blocks." + strconv.Itoa(l) + "."
		base.Add(p+"norm_attn_norm.attn.Wqkv.weight", draw(80, 48), 80, 48)
		base.Add(p+"norm_attn_norm.attn.out_proj.weight", draw(48, 48), 48, 48)
		base.Add(p+"ffn.router.layer.weight", draw(4, 48), 4, 48)
		for _, n := range []string{"w1", "v1", "w2"} {
			base.Add(p+"ffn.experts.mlp."+n, draw(4*64, 48), 4*64, 48)
		}
	}
	tuned := changed(base, func(name string, v []float32, s []int64) (string, []float32, []int64) {
		for i := range v {
			if s[0] > 100 {
				v[i] += float32(r.NormFloat64()) / 200
			}
		}
		return name, v, s
	})
	got, err := report.Build(t.Context(), report.Input{Ref: "a", Model: base}, report.Input{Ref: "b", Model: tuned}, nil)
	require.NoError(t, err)
	require.Equal(t, verdict.Related, got.Verdict.Relation)
	require.NotContains(t, got.Verdict.Kinds, verdict.Reparameterised, got.Verdict.Because)
}
