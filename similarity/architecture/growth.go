package architecture

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
func (s *Shape) added(ctx context.Context, p *align.Pair, t align.TowerPair) (err error) {
	n := min(s.Vocabulary[0], s.Vocabulary[1])
	for i, x := range []*roles.Tower{t.A, t.B} {
		m := x.Head
		if m == nil {
			m = x.Embedding
		}
		if n == 0 || s.Vocabulary[i] == n || m == nil || m.Rows != s.Vocabulary[i] || p.Reserve(delta.AddedCost(m), 1) == 0 {
			continue
		}
		if s.Added[i], err = delta.AddedRows(ctx, m, n, p.Seed); err != nil {
			return err
		}
	}
	return nil
}

// grown looks at what the wider and the deeper subject have more.
func (s *Shape) grown(ctx context.Context, p *align.Pair, t align.TowerPair) (err error) {
	for i, x := range []*roles.Tower{t.A, t.B} {
		if len(x.Layers) == 0 {
			continue
		}
		l := x.Layers[len(x.Layers)/2]
		if s.Width[i] > s.Width[1-i] && len(l.MLPs()) > 0 {
			if s.Copied[i], err = repeats(ctx, p, l.MLPs()[0].Up, 1); err != nil {
				return err
			}
		}
		if s.KVHeads[i] > s.KVHeads[1-i] {
			if s.HeadsTwice[i], err = repeats(ctx, p, l.V, x.HeadDim); err != nil {
				return err
			}
		}
	}
	if s.Layers[0] == s.Layers[1] || len(s.Sources) == 0 {
		return nil
	}
	return s.untrained(ctx, p, t)
}

func repeats(ctx context.Context, p *align.Pair, m *roles.Matrix, rows int) (bool, error) {
	if m == nil || p.Reserve(delta.RepeatsCost(m), 1) == 0 {
		return false, nil
	}
	return delta.Repeats(ctx, m, rows, p.Seed)
}

// untrained lists the layers of the deeper subject that have no counterpart in
// the other one and hold nothing learned, where the first that has one does.
func (s *Shape) untrained(ctx context.Context, p *align.Pair, t align.TowerPair) error {
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
		fresh, err := holdsNothing(ctx, p, l, deep.Layers[first])
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
func holdsNothing(ctx context.Context, p *align.Pair, l, other *roles.Layer) (bool, error) {
	a, b := l.MLPs(), other.MLPs()
	if len(a) == 0 || len(b) == 0 {
		return false, nil
	}
	for _, out := range [][2]*roles.Matrix{{l.O, other.O}, {a[0].Down, b[0].Down}} {
		if out[0] == nil || out[1] == nil || p.Reserve(delta.UntrainedCost(out[0])+delta.UntrainedCost(out[1]), 1) == 0 {
			return false, nil
		}
		if empty, err := delta.Untrained(ctx, out[0], out[1], p.Seed); !empty || err != nil {
			return false, err
		}
	}
	for _, m := range []*roles.Matrix{l.V, a[0].Up} {
		if m == nil || p.Reserve(delta.UntrainedCost(m), 1) == 0 {
			return false, nil
		}
		if learned, err := delta.Structured(ctx, m, p.Seed); learned || err != nil {
			return false, err
		}
	}
	return true, nil
}
