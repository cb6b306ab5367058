package layers

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Tensors of equal shape whose names say nothing may be the one or the other: gates or
// ups, keys or values, the norm before attention or before the MLP. A reading is chosen
// by lengths of rows, norm weights folded in, which neither a change of basis nor an
// order of units alters: so of a copy the right one is found, and of a stranger any.

// What a choice of reading looks at: layers of a tower, rows of a matrix, and quantiles
// of their lengths.
const (
	readingLayers    = 6
	readingRows      = 256
	readingQuantiles = 16
)

// ChooseReading finds of the readings of both subjects, of which either may have one
// only, the two whose rows in the same roles are most nearly of the same lengths: their
// places; the first of several that are, and of all where the budget does not allow to
// look.
func ChooseReading(ctx context.Context, p *align.Pair, a, b []*roles.Network) (i, j int, err error) {
	if len(a)*len(b) < 2 || len(a[0].Towers) == 0 || len(b[0].Towers) == 0 || !p.Fits(2*max(readingCost(a[0]), readingCost(b[0])), mapShare) {
		return 0, 0, nil
	}
	seen, least := lengths{}, math.Inf(1)
	for x := range a {
		for y := range b {
			far, err := seen.distance(ctx, a[x].Towers[0], b[y].Towers[0])
			if err != nil {
				return 0, 0, err
			}
			if far < least {
				i, j, least = x, y, far
			}
		}
	}
	return i, j, nil
}

// looked are the matrices of a tower by which readings are told apart.
func looked(t *roles.Tower) []*roles.Matrix {
	out := []*roles.Matrix{t.Embedding, t.Head}
	for i := range readingLayers {
		if len(t.Layers) == 0 {
			break
		}
		l := t.Layers[i*(len(t.Layers)-1)/(readingLayers-1)]
		out = append(out, l.Q, l.K, l.V)
		mlp := &roles.MLP{}
		if len(l.Experts) > 0 {
			mlp = l.Experts[0]
		}
		out = append(out, mlp.Gate, mlp.Up)
	}
	return out
}

func readingCost(n *roles.Network) (bytes int64) {
	for _, m := range looked(n.Towers[0]) {
		if m != nil {
			bytes += m.Cost(min(m.Rows, readingRows)) + m.Gain.Cost()
		}
	}
	return bytes
}

// lengths keeps the quantiles of matrices that were looked at.
type lengths map[view][]float64

// view is a matrix as it is read: its tensor, which way round, and its norm weights.
type view struct {
	tensor     any
	gain       any
	transposed bool
}

// distance is how far the lengths of rows of two towers are apart, on average over the
// matrices that both have.
func (s lengths) distance(ctx context.Context, a, b *roles.Tower) (float64, error) {
	sum, n := 0.0, 0
	inB := looked(b)
	for i, x := range looked(a) {
		if i >= len(inB) || x == nil || inB[i] == nil {
			continue
		}
		qa, err := s.quantiles(ctx, x)
		if err != nil {
			return 0, err
		}
		qb, err := s.quantiles(ctx, inB[i])
		if err != nil {
			return 0, err
		}
		for k := range qa {
			sum += math.Abs(qa[k] - qb[k])
		}
		n++
	}
	return sum / float64(max(1, n)), nil
}

// quantiles of the logarithms of lengths of a matrix's rows, evenly spaced.
func (s lengths) quantiles(ctx context.Context, m *roles.Matrix) ([]float64, error) {
	key := view{tensor: m.Tensor, transposed: m.Transposed()}
	if m.Gain != nil {
		key.gain = m.Gain.Tensor
	}
	if q, ok := s[key]; ok {
		return q, nil
	}
	n := min(m.Rows, readingRows)
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i * m.Rows / n
	}
	w := make([]float32, n*m.Cols)
	if err := m.Gather(ctx, w, rows); err != nil {
		return nil, err
	}
	gain := slices.Repeat([]float32{1}, m.Cols)
	if m.Gain != nil {
		var err error
		if gain, err = m.Gain.Read(ctx); err != nil {
			return nil, err
		}
	}
	all := make([]float64, n)
	for i := range all {
		for j, x := range w[i*m.Cols : (i+1)*m.Cols] {
			y := float64(x) * float64(gain[j])
			all[i] += float64(y * y)
		}
		all[i] = math.Log(all[i]+math.SmallestNonzeroFloat32) / 2
	}
	slices.Sort(all)
	q := make([]float64, readingQuantiles)
	for k := range q {
		q[k] = all[(2*k+1)*n/(2*readingQuantiles)]
	}
	s[key] = q
	return q, nil
}
