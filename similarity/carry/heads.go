package carry

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Heads are compared by the spaces that their value rows and their output columns
// span: mixing the channels of a head, which changes nothing that it computes, leaves
// these as they are.

// head is one key and value head: what it reads and, with the query heads that share
// it, what it writes, channel by channel.
type head struct{ reads, writes axis.Rows }

// headsOf reads the heads of a layer; none where sizes are not known.
func headsOf(ctx context.Context, t *roles.Tower, l *roles.Layer) ([]head, error) {
	d := t.HeadDim
	if l.V == nil || l.O == nil || d == 0 || t.KVHeads == 0 || l.V.Rows != t.KVHeads*d || l.O.Cols%l.V.Rows != 0 {
		return nil, nil
	}
	values, err := axis.ReadRows(ctx, l.V, l.V.All(), true)
	if err != nil {
		return nil, err
	}
	outputs, err := columns(ctx, l.O)
	if err != nil {
		return nil, err
	}
	part := func(s axis.Rows, first, n int) axis.Rows {
		return axis.Rows{Raw: s.Raw[first*s.Dim : (first+n)*s.Dim], N: n, Dim: s.Dim}
	}
	wide := l.O.Cols / t.KVHeads
	out := make([]head, t.KVHeads)
	for h := range out {
		out[h] = head{part(values, h*d, d), part(outputs, h*wide, wide)}
	}
	return out, nil
}

// agreeingHeads pairs the heads that are each other's best partner by what they read
// and by what they write.
func agreeingHeads(seed []byte, c coordinates, a, b []head) (out [][2]int) {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	reads := func(h head) view { return view{rows: h.reads} }
	writes := func(h head) view { return view{rows: h.writes, writes: true} }
	x := mutualSpaces(overlaps(seed, c, a, b, reads), len(a), len(b))
	y := mutualSpaces(overlaps(seed, c, a, b, writes), len(a), len(b))
	for j, i := range x {
		if i >= 0 && y[j] == i {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

// overlap is how far two spaces are one: 1 where one lies in the other, 0 by chance.
type overlap float64

// sameSpace is the overlap from which heads count: the half, which spaces drawn at
// random do not come near.
const sameSpace = 0.5

func overlaps(seed []byte, c coordinates, a, b []head, of func(head) view) []overlap {
	to := 4 * max(of(a[0]).rows.N, of(b[0]).rows.N)
	var bases [2][]axis.Rows
	for side, heads := range [2][]head{a, b} {
		bases[side] = make([]axis.Rows, len(heads))
		dense.Parallel(len(heads), func(h int) {
			v := of(heads[h])
			bases[side][h] = basis(shortened(seed, c.bring(v, side == 1), to))
		})
	}
	stream := min(a[0].reads.Dim, b[0].reads.Dim)
	out := make([]overlap, len(a)*len(b))
	dense.Parallel(len(out), func(k int) {
		out[k] = overlapOf(bases[0][k%len(a)], bases[1][k/len(a)], stream)
	})
	return out
}

// overlapOf is the mean squared cosine of the principal angles of two spaces, less
// what chance brings about in a stream of a width.
func overlapOf(a, b axis.Rows, width int) overlap {
	width = min(width, a.Dim)
	if a.N == 0 || b.N == 0 || max(a.N, b.N) >= width {
		return 0
	}
	products := make([]float32, a.N*b.N)
	dense.SerialNT(products, a.Raw, b.Raw, a.N, b.N, a.Dim)
	size := dense.Norm(products)
	chance := float64(max(a.N, b.N)) / float64(width)
	return overlap((float64(size*size)/float64(min(a.N, b.N)) - chance) / (1 - chance))
}

// shortened brings rows that have more dimensions to so many, by random combinations.
func shortened(seed []byte, s axis.Rows, to int) axis.Rows {
	if s.Dim <= to {
		return s
	}
	out := axis.Rows{Raw: make([]float32, s.N*to), N: s.N, Dim: to}
	dense.SerialNT(out.Raw, s.Raw, signs(rng.New(seed, "combinations for heads"), to*s.Dim), s.N, to, s.Dim)
	return out
}

// basis makes the rows orthonormal, one after the other (Gram and Schmidt, twice for
// the sake of rounding); rows that depend on those before drop out.
func basis(s axis.Rows) axis.Rows {
	const dependent = 1e-3 // of a row's length that must be left of it
	var kept [][]float64
	for i := range s.N {
		row := make([]float64, s.Dim)
		for k, v := range s.Raw[i*s.Dim : (i+1)*s.Dim] {
			row[k] = float64(v)
		}
		whole := math.Sqrt(inner(row, row))
		for range 2 {
			for _, other := range kept {
				along := inner(row, other)
				for k, v := range other {
					row[k] -= float64(along * v)
				}
			}
		}
		left := math.Sqrt(inner(row, row))
		if left <= dependent*whole {
			continue
		}
		for k := range row {
			row[k] /= left
		}
		kept = append(kept, row)
	}
	out := axis.Rows{N: len(kept), Dim: s.Dim}
	for _, row := range kept {
		for _, v := range row {
			out.Raw = append(out.Raw, float32(v))
		}
	}
	return out
}

func inner(x, y []float64) (sum float64) {
	for k, v := range x {
		sum += float64(v * y[k])
	}
	return sum
}

// mutualSpaces returns for each head of B its partner in A, or -1.
func mutualSpaces(like []overlap, na, nb int) []int {
	best := func(n int, at func(int) overlap) int {
		to, most := -1, overlap(sameSpace)
		for i := range n {
			if at(i) > most {
				to, most = i, at(i)
			}
		}
		return to
	}
	out := make([]int, nb)
	for j := range out {
		out[j] = best(na, func(i int) overlap { return like[j*na+i] })
		if i := out[j]; i >= 0 && best(nb, func(j int) overlap { return like[j*na+i] }) != j {
			out[j] = -1
		}
	}
	return out
}
