package calibrated

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// QKPlanes compares the products of queries and keys, head by head. A rotary
// head splits into planes that nobody can move or mix, because each turns at a
// frequency of its own; within a plane, queries and keys may only be turned
// together and scaled against each other. Written with complex numbers, the
// product between planes p and q has a part α that turns with the difference
// of the two angles and a part β that turns with their sum. Free of every
// choice are the sizes |α_pq·α_qp| and |β_pq·β_qp|, and the phases of
// α_pq·α_qr·α_rp. Heads are matched by sizes alone, and then judged by
// phases, so that the match cannot feed the score.
func QKPlanes() *similarity.Test {
	return &similarity.Test{Name: "qk-planes", Doc: "products of queries and keys between rotary planes", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := qkPlanes(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e...)
		}
		return out, nil
	}}
}

func qkPlanes(ctx context.Context, p *align.Pair, t align.TowerPair) ([]similarity.Evidence, error) {
	const sizes, turns = "qk-sizes", "qk-phases"
	why := qkReason(t)
	pairs := layersWithin(p, t, func(l *roles.Layer) int64 { return costOf(l.Q) + costOf(l.K) })
	if why == "" && len(pairs) == 0 {
		why = "no layer fits the budget"
	}
	if why != "" {
		return []similarity.Evidence{skip(sizes, "attention.qk", t, why), skip(turns, "attention.qk", t, why)}, nil
	}
	es, et := evidence(sizes, "attention.qk", t), evidence(turns, "attention.qk", t)
	planesA, planesB := commonPlanes(t)
	for _, l := range pairs {
		a, err := Planes(ctx, t.A, t.A.Layers[l.A], planesA)
		if err != nil {
			return nil, err
		}
		b, err := Planes(ctx, t.B, t.B.Layers[l.B], planesB)
		if err != nil {
			return nil, err
		}
		size, phase, n := Resemblance(a, b)
		es.Statistic += size * float64(n)
		et.Statistic += phase * float64(n)
		es.N, et.N = es.N+n, et.N+n
	}
	es.Effect, et.Effect = es.Statistic/float64(es.N), et.Statistic/float64(et.N)
	return []similarity.Evidence{es, et}, nil
}

func costOf(m *roles.Matrix) int64 {
	if m == nil {
		return 0
	}
	return m.Cost(m.Rows) + m.Gain.Cost()
}

// Head is what one attention head shows of itself whatever basis it is
// written in.
type Head struct {
	Sizes  []float64    // logarithms, one for each pair of planes and kind
	Phases []complex128 // of length 1, one for each pair and triple of planes
}

// Planes reads the heads of a layer, of which the chosen rotary planes are looked at.
func Planes(ctx context.Context, t *roles.Tower, l *roles.Layer, chosen []int) ([]Head, error) {
	d := t.HeadDim
	if l.Q == nil || l.K == nil || l.Q.Rows%d != 0 || l.K.Rows%d != 0 {
		return nil, fmt.Errorf("calibrated: layer %d has no whole heads", l.Index)
	}
	heads := make([]Head, l.Q.Rows/d)
	keys := l.K.Rows / d
	shared := max(1, len(heads)/keys) // query heads to a key head
	var room queriesAndKeys
	for first := 0; first < len(heads); {
		last := min(len(heads), first+max(1, headsAtOnce/shared)*shared)
		if last/shared >= keys { // the last key head serves what is left
			last = len(heads)
		}
		if err := planes(ctx, t, l, chosen, heads[first:last], first, shared, &room); err != nil {
			return nil, err
		}
		first = last
	}
	return heads, nil
}

// headsAtOnce bounds the memory that the rows of heads take.
const headsAtOnce = 8

// queriesAndKeys is room for the rows of some heads, which is used again for the next.
type queriesAndKeys struct{ q, k []float32 }

// planes fills in some heads, of which the first has a number.
func planes(ctx context.Context, t *roles.Tower, l *roles.Layer, chosen []int, heads []Head, first, shared int, room *queriesAndKeys) error {
	d, cols := t.HeadDim, l.Q.Cols
	key := func(h int) int { return min(h/shared, l.K.Rows/d-1) }
	from, to := key(first), key(first+len(heads)-1)+1
	q, err := withNorm(ctx, &room.q, l.Q, l.QNorm, d, first*d, (first+len(heads))*d)
	if err != nil {
		return err
	}
	k, err := withNorm(ctx, &room.k, l.K, l.KNorm, d, from*d, to*d)
	if err != nil {
		return err
	}
	dense.Parallel(len(heads), func(h int) {
		g := key(first+h) - from
		m := make([]float32, d*d)
		dense.SerialNT(m, q[h*d*cols:(h+1)*d*cols], k[g*d*cols:(g+1)*d*cols], d, d, cols)
		heads[h] = newHead(m, d, t, chosen)
	})
	return nil
}

// withNorm reads rows from a number to another and folds a gain on queries or keys,
// where there is one, into them.
func withNorm(ctx context.Context, room *[]float32, m *roles.Matrix, norm *roles.Vector, d, from, to int) ([]float32, error) {
	n := (to - from) * m.Cols
	*room = slices.Grow((*room)[:0], n)
	x := (*room)[:n]
	err := axis.GatherRows(ctx, x, m, m.All()[from:to], true)
	if err != nil || norm == nil || norm.Len != d && norm.Len != m.Rows {
		return x, err
	}
	gain, err := norm.Read(ctx)
	if err != nil {
		return nil, err
	}
	for r := from; r < to; r++ {
		for k := range m.Cols {
			x[(r-from)*m.Cols+k] *= gain[r%norm.Len]
		}
	}
	return x, nil
}

// newHead takes the product of queries and keys apart. Rows p and p+r/2 of the r
// rows that turn are the two directions of plane p, or rows 2p and 2p+1 where they
// interleave.
func newHead(m []float32, d int, t *roles.Tower, chosen []int) Head {
	n := len(chosen)
	plane, half := 1, t.RotaryDim/2
	if t.Rotary == roles.Interleaved {
		plane, half = 2, 1
	}
	alpha, beta := make([]complex128, n*n), make([]complex128, n*n)
	for p, i0 := range chosen {
		for q, j0 := range chosen {
			at := func(i, j int) float64 { return float64(m[(plane*i0+i*half)*d+plane*j0+j*half]) }
			alpha[p*n+q] = complex(at(0, 0)+at(1, 1), at(1, 0)-at(0, 1))
			beta[p*n+q] = complex(at(0, 0)-at(1, 1), at(1, 0)+at(0, 1))
		}
	}
	var h Head
	for p := range n {
		for q := p; q < n; q++ {
			for _, x := range [][]complex128{alpha, beta} {
				h.Sizes = append(h.Sizes, 0.5*math.Log(cmplx.Abs(x[p*n+q])*cmplx.Abs(x[q*n+p])+1e-30))
			}
		}
	}
	h.Phases = phases(alpha, n)
	return h
}

// phases lists the directions that no choice of angles changes: of planes
// with themselves, of pairs, and of triples, of which a fixed selection is
// taken where there are many.
func phases(alpha []complex128, n int) []complex128 {
	unit := func(z complex128) complex128 {
		if a := cmplx.Abs(z); a > 0 {
			return z / complex(a, 0)
		}
		return 0
	}
	var out []complex128
	for p := range n {
		out = append(out, unit(alpha[p*n+p]))
		for q := p + 1; q < n; q++ {
			out = append(out, unit(alpha[p*n+q]*alpha[q*n+p]))
		}
	}
	for p := range n {
		for q := p + 1; q < n; q++ {
			for r := q + 1; r < n; r++ {
				if n > 16 && (p+3*q+7*r)%(n*n/128+1) != 0 {
					continue
				}
				out = append(out, unit(alpha[p*n+q]*alpha[q*n+r]*alpha[r*n+p]))
			}
		}
	}
	return out
}
