package layers

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// MapHeads finds, for every layer pair (unless all is set, only where the KV
// heads differ in number), the KV head of A that each KV head of B came from: the
// one whose key rows point the same way. Labels of value channels, which the tests count, are independent
// of key rows under the null, so the choice costs no p-value anything.
func MapHeads(ctx context.Context, p *align.Pair, t int, all bool) error {
	tp := &p.Towers[t]
	d := tp.B.HeadDim
	if d == 0 || tp.A.HeadDim != d || tp.A.Hidden != tp.B.Hidden {
		return nil
	}
	rows := headRows(p, tp, d, all)
	if rows == 0 {
		return nil
	}
	for _, l := range tp.Layers {
		a, b := tp.A.Layers[l.A].K, tp.B.Layers[l.B].K
		if !mappable(a, b, d, all) {
			continue
		}
		heads, likeness, err := mapHeads(ctx, a, b, d, rows)
		if err != nil {
			return err
		}
		if a.Rows == b.Rows && likeness < headLikeness {
			continue // keys that were rotated or trained anew tell nothing
		}
		if tp.Heads == nil {
			tp.Heads = map[int][]int{}
		}
		tp.Heads[l.B] = heads
	}
	p.Forget()
	return nil
}

// mappable tells whether the heads of two key matrices can be held against each
// other and are to be.
func mappable(a, b *roles.Matrix, d int, all bool) bool {
	return a != nil && b != nil && a.Cols == b.Cols && (a.Rows != b.Rows || all) && a.Rows%d == 0 && b.Rows%d == 0
}

// fewestHeadRows are enough to tell one head from another.
const fewestHeadRows = 8

// headRows is how many rows of every head may be read, and reserves them: all, or
// halves of that; 0 where the budget does not allow so many as are needed.
func headRows(p *align.Pair, tp *align.TowerPair, d int, all bool) int {
	for rows := d; rows >= min(d, fewestHeadRows); rows /= 2 {
		var cost int64
		for _, l := range tp.Layers {
			if a, b := tp.A.Layers[l.A].K, tp.B.Layers[l.B].K; mappable(a, b, d, all) {
				cost += max(a.Cost(a.Rows/d*rows), b.Cost(b.Rows/d*rows))
			}
		}
		if p.Fits(cost, mapShare) {
			p.Hold(cost)
			return rows
		}
	}
	return 0
}

// mapShare is the percentage of what is left of the budget that a map may take.
const mapShare = 50

// headLikeness is the mean cosine of key rows from which a map of equally many
// heads is taken for more than the luckiest one.
const headLikeness = 0.2

// mapHeads returns the map and the mean cosine of the key rows that it pairs, by so
// many rows of every head.
func mapHeads(ctx context.Context, a, b *roles.Matrix, d, rows int) (heads []int, likeness float64, err error) {
	ka, err := axis.ReadRows(ctx, a, ofHeads(a.Rows/d, d, rows), false)
	if err != nil {
		return nil, 0, err
	}
	kb, err := axis.ReadRows(ctx, b, ofHeads(b.Rows/d, d, rows), false)
	if err != nil {
		return nil, 0, err
	}
	ka.Centre(nil)
	kb.Centre(nil)
	row := func(s *axis.Rows, h, r int) []float32 { return s.Unit[(h*rows+r)*s.Dim : (h*rows+r+1)*s.Dim] }
	out := make([]int, b.Rows/d)
	for h := range out {
		best := float32(-2)
		for g := range a.Rows / d {
			var sum float32
			for r := range rows {
				sum += dense.Dot(row(&kb, h, r), row(&ka, g, r))
			}
			if sum/float32(rows) > best {
				best, out[h] = sum/float32(rows), g
			}
		}
		likeness += float64(best) / float64(len(out))
	}
	return out, likeness, nil
}

// ofHeads lists so many rows of every head, evenly spread and the same of all.
func ofHeads(heads, d, rows int) (out []int) {
	for h := range heads {
		for _, r := range align.Spread(d, rows) {
			out = append(out, h*d+r)
		}
	}
	return out
}
