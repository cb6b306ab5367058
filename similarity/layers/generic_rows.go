package layers

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// samples are the same rows of matrices of both sides.
type samples struct {
	as, bs []*roles.Matrix
	a, b   []axis.Rows
	n      int // rows of each
}

// sampleRows reads them; nil where there are too few rows, too many matrices, or the budget
// does not allow it.
func sampleRows(ctx context.Context, p *align.Pair, as, bs []*roles.Matrix) (*samples, error) {
	s := &samples{as: as, bs: bs, n: min(pairedRows, bs[0].Rows)}
	if s.n < axis.MinUnits || max(len(as), len(bs)) > mostUnpaired || p.Reserve(max(costOf(as, s.n), costOf(bs, s.n)), 1) == 0 {
		return nil, nil
	}
	at := rng.New(p.Seed, "rows that pair "+bs[0].Role).Sample(bs[0].Rows, s.n)
	for _, side := range []struct {
		of   []*roles.Matrix
		rows *[]axis.Rows
	}{{as, &s.a}, {bs, &s.b}} {
		for _, m := range side.of {
			rows, err := axis.ReadRows(ctx, m, at, false)
			if err != nil {
				return nil, err
			}
			rows.Centre(nil)
			*side.rows = append(*side.rows, rows)
		}
	}
	return s, nil
}

// pairs are the matrices that belong together by their rows.
func (s *samples) pairs() (out []align.GenericPair) {
	if s == nil {
		return nil
	}
	score := make([][]int, len(s.bs))
	for j := range score {
		score[j] = make([]int, len(s.as))
		for i := range s.as {
			score[j][i] = mutualAtPlace(s.a[i], s.b[j])
		}
	}
	for j, b := range s.bs {
		if i, ok := best(score, j); ok && 2*score[j][i] > s.n {
			out = append(out, align.GenericPair{A: s.as[i], B: b, Choice: len(s.as)})
		}
	}
	return out
}

// open are the samples without those matrices whose rows agree with the matrix at their
// place in the other list.
func (s *samples) open() *samples {
	out := &samples{n: s.n}
	for k := range s.bs {
		if 2*mutualAtPlace(s.a[k], s.b[k]) <= s.n {
			out.as, out.bs = append(out.as, s.as[k]), append(out.bs, s.bs[k])
			out.a, out.b = append(out.a, s.a[k]), append(out.b, s.b[k])
		}
	}
	return out
}

// costOf is what reading so many rows of each matrix costs.
func costOf(all []*roles.Matrix, rows int) (bytes int64) {
	for _, m := range all {
		bytes += m.Cost(rows)
	}
	return bytes
}

// mutualAtPlace counts rows that are most like the one at the same place, seen
// from both sides.
func mutualAtPlace(a, b axis.Rows) (count int) {
	n := a.N
	c := make([]float32, n*n)
	dense.MulNT(c, b.Unit, a.Unit, n, n, a.Dim)
	for k := range n {
		here, mutual := c[k*n+k], true
		for o := range n {
			mutual = mutual && (o == k || c[k*n+o] < here && c[o*n+k] < here)
		}
		if mutual {
			count++
		}
	}
	return count
}

// best is the matrix of A that scores highest for one of B, if that one is its
// highest too and no other does as well.
func best(score [][]int, j int) (at int, ok bool) {
	for i, s := range score[j] {
		if s > score[j][at] {
			at = i
		}
	}
	for i, s := range score[j] {
		if i != at && s == score[j][at] {
			return at, false
		}
	}
	for o := range score {
		if o != j && score[o][at] >= score[j][at] {
			return at, false
		}
	}
	return at, true
}
