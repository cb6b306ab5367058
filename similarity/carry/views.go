package carry

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// view is how the units of one layer look through one matrix, unit after unit.
type view struct {
	rows   axis.Rows
	signed bool // of units that may change sign; cosines count by size
	writes bool // to the residual stream, instead of reading it
}

// views is how many there are of an MLP.
const views = 2

// viewOf reads one of the views of an MLP.
func viewOf(ctx context.Context, l *roles.Layer, which int) (v view, err error) {
	p := l.MLPs()[0]
	m := [views]*roles.Matrix{p.Gate, p.Up}[which]
	if p.Gate == nil {
		m = [views]*roles.Matrix{p.Up, p.Down}[which]
	}
	if m == p.Down {
		v.writes = true
		v.rows, err = columns(ctx, m)
		return v, err
	}
	v.signed = p.Gate != nil && m == p.Up
	v.rows, err = axis.ReadRows(ctx, m, m.All(), true)
	return v, err
}

// columns reads a matrix column by column.
func columns(ctx context.Context, m *roles.Matrix) (axis.Rows, error) {
	whole := make([]float32, m.Rows*m.Cols)
	if err := m.Gather(ctx, whole, m.All()); err != nil {
		return axis.Rows{}, err
	}
	out := axis.Rows{Raw: make([]float32, len(whole)), N: m.Cols, Dim: m.Rows}
	for i := range m.Rows {
		for k, v := range whole[i*m.Cols : (i+1)*m.Cols] {
			out.Raw[k*m.Rows+i] = v
		}
	}
	if m.WritesCentred {
		axis.WithoutMeans(out.Raw, out.N, out.Dim)
	}
	return out, nil
}

// coordinates bring the views of both sides into one system.
type coordinates struct {
	name  string
	bring func(v view, sideB bool) axis.Rows
}

// systems lists the coordinates in which units can be compared.
func systems(ctx context.Context, p *align.Pair, t align.TowerPair) ([]coordinates, error) {
	var out []coordinates
	if t.A.Hidden == t.B.Hidden {
		out = append(out, coordinates{"raw", func(v view, _ bool) axis.Rows { return v.rows }})
	}
	reads, writes, err := axis.Anchors(ctx, p, t, anchorTokens)
	if err != nil || reads == nil || writes == nil {
		return out, err
	}
	return append(out, coordinates{"anchored", func(v view, sideB bool) axis.Rows {
		if v.writes {
			return writes.Respond(v.rows, sideB)
		}
		return reads.Respond(v.rows, sideB)
	}}), nil
}

// anchorTokens is how many tokens make up anchored coordinates.
const anchorTokens = 512

// sketched shortens rows that are wider than some to random combinations of their
// features, which keep cosines to about 1/√sketch (Johnson, Lindenstrauss 1984).
func sketched(seed []byte, s axis.Rows) axis.Rows {
	if s.Dim <= 2*sketch {
		return s
	}
	out := axis.Rows{Raw: make([]float32, s.N*sketch), N: s.N, Dim: sketch}
	dense.MulNT(out.Raw, s.Unit, signs(rng.New(seed, "combinations of features"), sketch*s.Dim), s.N, sketch, s.Dim)
	return out
}

// signs draws n numbers that are 1 or -1.
func signs(r *rng.Stream, n int) []float32 {
	out := make([]float32, n)
	for i := 0; i < n; i += 64 {
		bits := r.Uint64()
		for k := i; k < min(i+64, n); k++ {
			out[k] = float32(int64(bits>>(k-i)&1)*2 - 1)
		}
	}
	return out
}

const sketch = 128
