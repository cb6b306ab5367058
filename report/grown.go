package report

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Of two networks of different size the smaller one need not be the later: rows
// of a vocabulary are added and cut off, units and heads are pruned and copied,
// layers are dropped and put in. What the larger one has more is looked at
// before a direction is stated.

// added looks at the rows that the longer vocabulary has more.
func (r *run) added(ctx context.Context, t align.TowerPair) (err error) {
	s := &r.facts.Shape
	n := min(s.Vocabulary[0], s.Vocabulary[1])
	for i, x := range []*roles.Tower{t.A, t.B} {
		m := x.Head
		if m == nil {
			m = x.Embedding
		}
		if n == 0 || s.Vocabulary[i] == n || m == nil || m.Rows != s.Vocabulary[i] || r.pair.Reserve(delta.AddedCost(m), 1) == 0 {
			continue
		}
		if s.Added[i], err = delta.AddedRows(ctx, m, n, r.pair.Seed); err != nil {
			return err
		}
	}
	return nil
}

// grown looks at what the wider and the deeper subject have more.
func (r *run) grown(ctx context.Context, t align.TowerPair) (err error) {
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
	if m == nil || r.pair.Reserve(delta.RepeatsCost(m), 1) == 0 {
		return false, nil
	}
	return delta.Repeats(ctx, m, rows, r.pair.Seed)
}

// untrained lists the layers of the deeper subject that have no counterpart in
// the other one and hold nothing learned, where the first that has one does.
func (r *run) untrained(ctx context.Context, t align.TowerPair) error {
	s := &r.facts.Shape
	deep := t.B
	has := func(i int) bool { return s.Sources[i] >= 0 }
	if s.Layers[0] > s.Layers[1] {
		deep = t.A
		has = func(i int) bool { return slices.Contains(s.Sources, t.A.Layers[i].Index) }
	}
	first := 0
	for first < len(deep.Layers) && !has(first) {
		first++
	}
	if first == len(deep.Layers) {
		return nil
	}
	for i, l := range deep.Layers {
		if has(i) {
			continue
		}
		fresh, err := r.holdsNothing(ctx, l, deep.Layers[first])
		if err != nil {
			return err
		}
		if fresh {
			s.Untrained = append(s.Untrained, l.Index)
		}
	}
	return nil
}

// holdsNothing tells whether both matrices by which a layer adds to the residual
// stream are untrained where those of another layer are not, and what stands
// before them has no structure either: a layer whose outputs somebody cleared
// still has what it learned in the others.
func (r *run) holdsNothing(ctx context.Context, l, other *roles.Layer) (bool, error) {
	a, b := l.MLPs(), other.MLPs()
	if len(a) == 0 || len(b) == 0 {
		return false, nil
	}
	for _, p := range [][2]*roles.Matrix{{l.O, other.O}, {a[0].Down, b[0].Down}} {
		if p[0] == nil || p[1] == nil || r.pair.Reserve(delta.UntrainedCost(p[0])+delta.UntrainedCost(p[1]), 1) == 0 {
			return false, nil
		}
		if empty, err := delta.Untrained(ctx, p[0], p[1], r.pair.Seed); !empty || err != nil {
			return false, err
		}
	}
	for _, m := range []*roles.Matrix{l.V, a[0].Up} {
		if m == nil || r.pair.Reserve(delta.UntrainedCost(m), 1) == 0 {
			return false, nil
		}
		if learned, err := delta.Structured(ctx, m, r.pair.Seed); learned || err != nil {
			return false, err
		}
	}
	return true, nil
}
