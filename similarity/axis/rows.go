package axis

import (
	"cmp"
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
)

// Rows holds units of one subject as one matrix shows them: N units × Dim
// features.
type Rows struct {
	Raw    []float32 // as read
	Unit   []float32 // centred and of length 1, once Centre was called
	N, Dim int
}

// ReadRows reads rows of a matrix; with norm set they are as they act on what the norm
// before the matrix gives: its weights, where there are any, are multiplied into the columns,
// and where it takes the mean away, so do the rows, which nothing else tells.
func ReadRows(ctx context.Context, m *roles.Matrix, rows []int, norm bool) (Rows, error) {
	return readRows(ctx, m, rows, norm, nil)
}

// readRows is ReadRows into room that is lent.
func readRows(ctx context.Context, m *roles.Matrix, rows []int, norm bool, room *scratch) (Rows, error) {
	s := Rows{Raw: room.floats(len(rows) * m.Cols), N: len(rows), Dim: m.Cols}
	return s, GatherRows(ctx, s.Raw, m, rows, norm)
}

// GatherRows is ReadRows into a slice of len(rows) × m.Cols values.
func GatherRows(ctx context.Context, dst []float32, m *roles.Matrix, rows []int, norm bool) error {
	if err := m.Gather(ctx, dst, rows); err != nil || !norm {
		return err
	}
	if m.Gain != nil {
		weights, err := m.Gain.Read(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			dense.Multiply(dst[i*m.Cols:(i+1)*m.Cols], weights)
		}
	}
	if m.ReadsCentred {
		WithoutMeans(dst, len(rows), m.Cols)
	}
	return nil
}

// WithoutMeans takes the mean of each of n rows of d values away from it.
func WithoutMeans(x []float32, n, d int) {
	for i := range n {
		row, sum := x[i*d:(i+1)*d], 0.0
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(d)
		for k, v := range row {
			row[k] = float32(float64(v) - mean)
		}
	}
}

// Centre takes what the eligible rows have in common out of Unit, as guards and
// cosines need it. Rows that vanish become ineligible. Without ok all rows are
// eligible at first.
func (s *Rows) Centre(ok []bool) { s.centre(ok, nil) }

func (s *Rows) centre(ok []bool, room *scratch) {
	if ok == nil {
		ok = allTrue(s.N)
	}
	s.Unit = room.floats(len(s.Raw))
	centre(s.Unit, s.Raw, s.N, s.Dim, ok)
}

// Columns keeps some of the features.
func (s *Rows) Columns(at []int) Rows {
	out := Rows{Raw: make([]float32, s.N*len(at)), N: s.N, Dim: len(at)}
	for i := range s.N {
		row, to := s.Raw[i*s.Dim:(i+1)*s.Dim], out.Raw[i*len(at):(i+1)*len(at)]
		for k, c := range at {
			to[k] = row[c]
		}
	}
	return out
}

// readView reads both sides of a view.
func readView(ctx context.Context, p *align.Pair, v viewPlan, x *Axis, st Stage, room *scratch) (a, b Rows, err error) {
	fa, fb := v.a.All(), v.b.All()
	if v.columns && (v.name == "embedding" || v.name == "head") {
		fa, fb = features(p, v, st)
	}
	// Both at once: where the sides lie on servers, one waits while the other reads.
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { b, failed = v.read(ctx, v.b, v.atB, x.B.Units, fb, room) })
	a, err = v.read(ctx, v.a, v.atA, x.A.Units, fa, room)
	wg.Wait()
	return a, b, cmp.Or(err, failed)
}

// features samples tokens, the same on both sides.
func features(p *align.Pair, v viewPlan, st Stage) (fa, fb []int) {
	m := align.SharedTokens(p.A.Tokens, p.B.Tokens, v.a.Rows, v.b.Rows).Sampled(p.Seed, "features of "+v.b.Role, st.Features)
	return m.A, m.B
}

// read gathers the units of one side as rows.
func (v viewPlan) read(ctx context.Context, m *roles.Matrix, at int, units, features []int, room *scratch) (Rows, error) {
	if v.columns {
		return readColumns(ctx, m, at, units, features, room)
	}
	s, err := readRows(ctx, m, v.rows(m, units, at), v.norm, room)
	s.N, s.Dim = len(units), s.Dim*max(1, v.blocks)
	return s, err
}

// readColumns gathers units that are columns: the features' rows are read and
// the units' values picked out of them.
func readColumns(ctx context.Context, m *roles.Matrix, at int, units, features []int, room *scratch) (Rows, error) {
	s := Rows{Raw: room.floats(len(units) * len(features)), N: len(units), Dim: len(features)}
	const together = 64
	buf := make([]float32, together*m.Cols)
	for f := 0; f < len(features); f += together {
		part := features[f:min(f+together, len(features))]
		if err := m.Gather(ctx, buf[:len(part)*m.Cols], part); err != nil {
			return s, err
		}
		for i, u := range units {
			for k := range part {
				s.Raw[i*len(features)+f+k] = buf[k*m.Cols+at+u]
			}
		}
	}
	if m.WritesCentred && len(features) == m.Rows {
		WithoutMeans(s.Raw, s.N, s.Dim)
	}
	return s, nil
}
