package similarity

import (
	"cmp"
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/roles"
)

// sample holds the rows of one side of a view: n units × dim features.
type sample struct {
	raw, unit []float32
	n, dim    int
}

func (s *sample) centre(ok []bool) {
	s.unit = append([]float32(nil), s.raw...)
	center(s.unit, s.n, s.dim, ok)
}

// readView reads both sides of a view.
func (p *Pair) readView(ctx context.Context, v viewPlan, x *Axis, l Look) (a, b sample, err error) {
	fa, fb := v.a.All(), v.b.All()
	if v.columns && (v.name == "embedding" || v.name == "head") {
		fa, fb = p.features(v, l)
	}
	// Both at once: where the sides lie on servers, one waits while the other reads.
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { b, failed = v.read(ctx, v.b, v.atB, x.B.Units, fb) })
	a, err = v.read(ctx, v.a, v.atA, x.A.Units, fa)
	wg.Wait()
	return a, b, cmp.Or(err, failed)
}

// features samples tokens, the same on both sides.
func (p *Pair) features(v viewPlan, l Look) (fa, fb []int) {
	m := SharedTokens(p.A.Tokens, p.B.Tokens, v.a.Rows, v.b.Rows).sampled(p.Seed, "features of "+v.b.Role, l.Features)
	return m.A, m.B
}

// read gathers the units of one side as rows.
func (v viewPlan) read(ctx context.Context, m *roles.Matrix, at int, units, features []int) (sample, error) {
	if v.columns {
		return readColumns(ctx, m, at, units, features)
	}
	rows := shifted(units, at)
	s := sample{raw: make([]float32, len(rows)*m.Cols), n: len(rows), dim: m.Cols}
	if err := m.Gather(ctx, s.raw, rows); err != nil {
		return s, err
	}
	if v.gains && m.Gain != nil {
		gain, err := m.Gain.Read(ctx)
		if err != nil {
			return s, err
		}
		for i := range rows {
			row := s.raw[i*m.Cols : (i+1)*m.Cols]
			for k, g := range gain {
				row[k] *= g
			}
		}
	}
	return s, nil
}

// readColumns gathers units that are columns: the features' rows are read and
// the units' values picked out of them.
func readColumns(ctx context.Context, m *roles.Matrix, at int, units, features []int) (sample, error) {
	s := sample{raw: make([]float32, len(units)*len(features)), n: len(units), dim: len(features)}
	const together = 64
	buf := make([]float32, together*m.Cols)
	for f := 0; f < len(features); f += together {
		part := features[f:min(f+together, len(features))]
		if err := m.Gather(ctx, buf[:len(part)*m.Cols], part); err != nil {
			return s, err
		}
		for i, u := range units {
			for k := range part {
				s.raw[i*len(features)+f+k] = buf[k*m.Cols+at+u]
			}
		}
	}
	return s, nil
}
