package layers

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// AlignRotary brings query and key rows of both subjects into one order. Some
// converters interleave the two halves of every head; what a file declares
// about that is tried first, then held against the data: for a related pair
// the wrong order leaves most rows unlike. It changes the roles.Network of the
// subjects and returns what was found where the data overruled the
// declaration.
func AlignRotary(ctx context.Context, p *align.Pair) ([]string, error) {
	var notes []string
	for _, t := range p.Towers {
		borrowHeads(t.A, t.B)
		borrowHeads(t.B, t.A)
		for _, side := range []*roles.Tower{t.A, t.B} {
			if side.Permuted {
				reorder(side)
				side.Permuted = false
			}
		}
		side, err := otherOrder(ctx, p, t)
		if err != nil {
			return notes, err
		}
		if side != nil {
			reorder(side)
			name := "B"
			if side == t.A {
				name = "A"
			}
			notes = append(notes, fmt.Sprintf("query and key rows of %s (tower %s) lie in the other rotary order than its architecture declares; the data decided", name, t.B.Name))
		}
	}
	return notes, nil
}

// borrowHeads fills in the head numbers that one subject does not declare
// when its matrices have the shape of the other's.
func borrowHeads(to, from *roles.Tower) {
	if to.HeadDim > 0 || from.HeadDim == 0 || len(to.Layers) == 0 || len(from.Layers) == 0 {
		return
	}
	a, b := to.Layers[0], from.Layers[0]
	if a.Q != nil && b.Q != nil && a.V != nil && b.V != nil && a.Q.Rows == b.Q.Rows && a.V.Rows == b.V.Rows {
		to.HeadDim, to.Heads, to.KVHeads = from.HeadDim, from.Heads, from.KVHeads
		if to.Rotary == from.Rotary {
			to.RotaryDim = from.RotaryDim
		}
	}
}

// reorder undoes the interleaving of all query and key rows of a tower.
func reorder(t *roles.Tower) {
	for _, l := range t.Layers {
		l.Q, l.K = deinterleaved(l.Q, t.HeadDim), deinterleaved(l.K, t.HeadDim)
	}
}

// deinterleaved returns the view of m in the order of Hugging Face files, or
// m itself where heads do not divide its rows.
func deinterleaved(m *roles.Matrix, headDim int) *roles.Matrix {
	if m == nil || headDim == 0 || m.Rows%headDim != 0 {
		return m
	}
	order := roles.RotaryOrder(m.Rows, m.Rows/headDim)
	if order == nil {
		return m
	}
	r := m.Reordered(order)
	r.Bias = r.Bias.Reordered(order)
	return r
}

// otherOrder tells which side, if any, has to be reordered for the query rows
// to meet. Only a clear answer counts: strangers give none.
func otherOrder(ctx context.Context, p *align.Pair, t align.TowerPair) (*roles.Tower, error) {
	const clear = 0.2 // mean cosine that strangers' rows never reach
	if len(t.Layers) == 0 || t.A.HeadDim == 0 || t.A.HeadDim != t.B.HeadDim || t.B.Rotary == roles.NoRotary && t.A.Rotary == roles.NoRotary {
		return nil, nil
	}
	l := t.Layers[len(t.Layers)/2]
	a, b := t.A.Layers[l.A].Q, t.B.Layers[l.B].Q
	if a == nil || b == nil || a.Cols != b.Cols || a.Rows < t.A.HeadDim || b.Rows < t.B.HeadDim {
		return nil, nil
	}
	if p.Reserve(max(a.Cost(t.A.HeadDim), b.Cost(t.B.HeadDim)), 1) == 0 { // the other orders are of the same rows
		return nil, nil
	}
	asIs, err := alike(ctx, a, b, t.A.HeadDim)
	if err != nil || asIs > clear {
		return nil, err
	}
	for _, try := range []struct {
		side *roles.Tower
		a, b *roles.Matrix
	}{{t.B, a, deinterleaved(b, t.B.HeadDim)}, {t.A, deinterleaved(a, t.A.HeadDim), b}} {
		c, err := alike(ctx, try.a, try.b, t.A.HeadDim)
		if err != nil {
			return nil, err
		}
		if c > clear && c > 2*asIs {
			return try.side, nil
		}
	}
	return nil, nil
}

// alike is the mean cosine between the first n rows of two views.
func alike(ctx context.Context, a, b *roles.Matrix, n int) (float64, error) {
	rows := a.All()[:n]
	x, err := axis.ReadRows(ctx, a, rows, false)
	if err != nil {
		return 0, err
	}
	y, err := axis.ReadRows(ctx, b, rows, false)
	if err != nil {
		return 0, err
	}
	x.Centre(nil)
	y.Centre(nil)
	sum := 0.0
	for i := range n {
		sum += float64(dense.Dot(x.Unit[i*a.Cols:(i+1)*a.Cols], y.Unit[i*a.Cols:(i+1)*a.Cols]))
	}
	return sum / float64(n), nil
}
