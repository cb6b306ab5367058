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
	for _, l := range tp.Layers {
		a, b := tp.A.Layers[l.A].K, tp.B.Layers[l.B].K
		if a == nil || b == nil || a.Cols != b.Cols || a.Rows == b.Rows && !all || a.Rows%d != 0 || b.Rows%d != 0 {
			continue
		}
		heads, likeness, err := mapHeads(ctx, p, a, b, d)
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

// headLikeness is the mean cosine of key rows from which a map of equally many
// heads is taken for more than the luckiest one.
const headLikeness = 0.2

// mapHeads returns the map and the mean cosine of the key rows that it pairs.
func mapHeads(ctx context.Context, p *align.Pair, a, b *roles.Matrix, d int) (heads []int, likeness float64, err error) {
	ka, err := axis.ReadRows(ctx, a, a.All(), false)
	if err != nil {
		return nil, 0, err
	}
	kb, err := axis.ReadRows(ctx, b, b.All(), false)
	if err != nil {
		return nil, 0, err
	}
	p.Book(max(a.Cost(a.Rows), b.Cost(b.Rows)))
	ka.Centre(nil)
	kb.Centre(nil)
	out := make([]int, b.Rows/d)
	for h := range out {
		best := float32(-2)
		for g := range a.Rows / d {
			var sum float32
			for r := range d {
				sum += dense.Dot(kb.Unit[(h*d+r)*kb.Dim:(h*d+r+1)*kb.Dim], ka.Unit[(g*d+r)*ka.Dim:(g*d+r+1)*ka.Dim])
			}
			if sum > best {
				best, out[h] = sum, g
			}
		}
		likeness += float64(best) / float64(d*len(out))
	}
	return out, likeness, nil
}
