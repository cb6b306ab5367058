package architecture

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
)

// HeadsMoved tells whether the head maps of equally many heads are no identity.
func HeadsMoved(t align.TowerPair) bool {
	for _, l := range t.Layers {
		heads, ok := t.Heads[l.B]
		if !ok || t.A.Layers[l.A].V == nil || len(heads)*t.A.HeadDim != t.A.Layers[l.A].V.Rows {
			continue
		}
		for h, g := range heads {
			if h != g {
				return true
			}
		}
	}
	return false
}

// LookAtQueries looks whether query heads of B stand at other places than in A.
// It is asked only where queries are not alike at their own: cosine is the mean
// cosine of query matrices in the same role. It returns errors of reading.
func (s *Shape) LookAtQueries(ctx context.Context, p *align.Pair, cosine float64) error {
	if s.HeadsMoved || len(p.Towers) == 0 || cosine > queriesAlike {
		return nil
	}
	t := p.Towers[0]
	d := t.B.HeadDim
	for _, i := range align.Spread(len(t.Layers), headLayers) {
		a, b := t.A.Layers[t.Layers[i].A].Q, t.B.Layers[t.Layers[i].B].Q
		if a == nil || b == nil || d == 0 || t.A.HeadDim != d || a.Rows != b.Rows || a.Cols != b.Cols || a.Rows%d != 0 {
			continue
		}
		rows := headSample(a.Rows/d, d)
		if p.Reserve(max(a.Cost(len(rows)), b.Cost(len(rows))), 1) == 0 {
			return nil
		}
		likeness, err := rowLikeness(ctx, a, b, rows)
		if err != nil {
			return err
		}
		s.HeadsMoved = s.HeadsMoved || moved(likeness, a.Rows/d, len(rows)/(a.Rows/d))
	}
	return nil
}

// headSample lists some rows of each head, the same of all.
func headSample(heads, d int) (rows []int) {
	for h := range heads {
		for _, k := range align.Spread(d, headRows) {
			rows = append(rows, h*d+k)
		}
	}
	return rows
}

// rowLikeness is the cosine of each row of B, of those given, with each of A.
func rowLikeness(ctx context.Context, a, b *roles.Matrix, rows []int) ([]float32, error) {
	n := len(rows)
	var sides [2][]float32
	for i, m := range []*roles.Matrix{a, b} {
		sides[i] = make([]float32, n*m.Cols)
		if err := m.Gather(ctx, sides[i], rows); err != nil {
			return nil, err
		}
		for r := range n {
			row := sides[i][r*m.Cols : (r+1)*m.Cols]
			size := max(dense.Norm(row), 1e-30)
			for k := range row {
				row[k] = float32(float64(row[k]) / size)
			}
		}
	}
	out := make([]float32, n*n)
	dense.MulNT(out, sides[1], sides[0], n, n, b.Cols)
	return out, nil
}

// moved tells whether some head of B, of so many rows each, is alike to another
// head of A.
func moved(likeness []float32, heads, rows int) bool {
	n := heads * rows
	for h := range heads {
		mean := make([]float64, heads)
		for g := range heads {
			for k := range rows {
				mean[g] += float64(likeness[(h*rows+k)*n+g*rows+k]) / float64(rows)
			}
		}
		for g := range heads {
			if g != h && mean[g] >= headAlike && mean[g] >= mean[h]+headAlike {
				return true
			}
		}
	}
	return false
}
