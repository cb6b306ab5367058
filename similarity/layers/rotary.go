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
	n := t.A.HeadDim
	x, err := axis.ReadRows(ctx, a, a.All()[:n], false)
	if err != nil {
		return nil, err
	}
	y, err := axis.ReadRows(ctx, b, b.All()[:n], false)
	if err != nil {
		return nil, err
	}
	x.Centre(nil)
	y.Centre(nil)
	asIs := alike(&x, &y, nil, nil)
	if asIs > clear {
		return nil, nil
	}
	for _, try := range []struct {
		side   *roles.Tower
		oa, ob []int
	}{{t.B, nil, firstHead(b, n)}, {t.A, firstHead(a, n), nil}} {
		if c := alike(&x, &y, try.oa, try.ob); c > clear && c > 2*asIs {
			return try.side, nil
		}
	}
	return nil, nil
}

// firstHead is the order in which the rows of the first head of a matrix stand once
// their interleaving is undone, nil where there is none.
func firstHead(m *roles.Matrix, headDim int) []int {
	if m.Rows%headDim != 0 {
		return nil
	}
	if order := roles.RotaryOrder(m.Rows, m.Rows/headDim); order != nil {
		return order[:headDim]
	}
	return nil
}

// alike is the mean cosine between rows, each side's taken in an order; nil is that
// in which they stand.
func alike(x, y *axis.Rows, ox, oy []int) float64 {
	row := func(s *axis.Rows, order []int, i int) []float32 {
		if order != nil {
			i = order[i]
		}
		return s.Unit[i*s.Dim : (i+1)*s.Dim]
	}
	sum := 0.0
	for i := range x.N {
		sum += float64(dense.Dot(row(x, ox, i), row(y, oy, i)))
	}
	return sum / float64(x.N)
}
