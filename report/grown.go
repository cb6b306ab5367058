package report

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Of two networks of different size the smaller one need not be the later: rows
// of a vocabulary are added and cut off, units and heads are pruned and copied,
// layers are dropped and put in. What the larger one has more is looked at
// before a direction is stated.

// added looks at the rows that the longer vocabulary has more.
func (r *run) added(ctx context.Context, t similarity.TowerPair) (err error) {
	s := &r.facts.Shape
	n := min(s.Vocabulary[0], s.Vocabulary[1])
	for i, x := range []*roles.Tower{t.A, t.B} {
		m := x.Head
		if m == nil {
			m = x.Embedding
		}
		if n == 0 || s.Vocabulary[i] == n || m == nil || m.Rows != s.Vocabulary[i] || r.pair.Afford(delta.AddedCost(m), 1) == 0 {
			continue
		}
		if s.Added[i], err = delta.AddedRows(ctx, m, n, r.pair.Seed); err != nil {
			return err
		}
	}
	return nil
}

// grown looks at what the wider and the deeper subject have more.
func (r *run) grown(ctx context.Context, t similarity.TowerPair) (err error) {
	s := &r.facts.Shape
	for i, x := range []*roles.Tower{t.A, t.B} {
		if len(x.Layers) == 0 {
			continue
		}
		l := x.Layers[len(x.Layers)/2]
		if s.Width[i] > s.Width[1-i] && len(l.MLPs()) > 0 {
			if s.Copied[i], err = r.repeats(ctx, l.MLPs()[0].Up, 1); err != nil {
				return err
			}
		}
		if s.KVHeads[i] > s.KVHeads[1-i] {
			if s.HeadsTwice[i], err = r.repeats(ctx, l.V, x.HeadDim); err != nil {
				return err
			}
		}
	}
	if s.Layers[0] == s.Layers[1] || len(s.Sources) == 0 {
		return nil
	}
	return r.untrained(ctx, t)
}

func (r *run) repeats(ctx context.Context, m *roles.Matrix, rows int) (bool, error) {
	if m == nil || r.pair.Afford(delta.RepeatsCost(m), 1) == 0 {
		return false, nil
	}
	return delta.Repeats(ctx, m, rows, r.pair.Seed)
}

// untrained lists the layers of the deeper subject that have no counterpart in
// the other one and of whose matrices some hold nothing learned, where the
// layer before, or behind, does.
func (r *run) untrained(ctx context.Context, t similarity.TowerPair) error {
	s := &r.facts.Shape
	deep := t.B
	has := func(i int) bool { return s.Sources[i] >= 0 }
	if s.Layers[0] > s.Layers[1] {
		deep = t.A
		has = func(i int) bool { return slices.Contains(s.Sources, t.A.Layers[i].Index) }
	}
	for i, l := range deep.Layers {
		if has(i) {
			continue
		}
		j := slices.IndexFunc(deep.Layers, func(x *roles.Layer) bool { return has(slices.Index(deep.Layers, x)) })
		if j < 0 {
			return nil
		}
		fresh, err := r.holdsNothing(ctx, l, deep.Layers[j])
		if err != nil {
			return err
		}
		if fresh {
			s.Untrained = append(s.Untrained, l.Index)
		}
	}
	return nil
}

// holdsNothing tells whether a matrix of a layer is untrained where that of
// another layer is not.
func (r *run) holdsNothing(ctx context.Context, l, other *roles.Layer) (bool, error) {
	pairs := [][2]*roles.Matrix{{l.V, other.V}, {l.O, other.O}}
	if a, b := l.MLPs(), other.MLPs(); len(a) > 0 && len(b) > 0 {
		pairs = append(pairs, [2]*roles.Matrix{a[0].Up, b[0].Up}, [2]*roles.Matrix{a[0].Down, b[0].Down})
	}
	for _, p := range pairs {
		if p[0] == nil || p[1] == nil || r.pair.Afford(delta.UntrainedCost(p[0])+delta.UntrainedCost(p[1]), 1) == 0 {
			continue
		}
		if fresh, err := delta.Untrained(ctx, p[0], p[1], r.pair.Seed); fresh || err != nil {
			return fresh, err
		}
	}
	return false, nil
}
