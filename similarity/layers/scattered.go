package layers

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Names and the order of tensors are free: whoever writes the program that runs a
// network may give its matrices any names, in any order. What he cannot choose is which
// of them are of one layer, as unit i of its gate, its up and its down is one unit: long
// where the others are long, or short where scales were moved between up and down, and
// its rows lean on one another by training. Between layers nothing of that is seen, as
// units stand in an order of their own in each.

// scatteredUnits are the units by which matrices are told to be of one layer, at most;
// fewer than the least tell nothing.
const (
	scatteredUnits      = 512
	leastScatteredUnits = 64
)

// Assemble puts the layers of a gated network together whose names and order say
// nothing, and gives all ways to read it; none where there are no such layers, or where
// the budget does not allow to read them. Layers stand in the order of their downs.
func Assemble(ctx context.Context, p *align.Pair, s *roles.Scattered) ([]*roles.Network, error) {
	if s == nil {
		return nil, nil
	}
	n := min(scatteredUnits, s.Writes[0].Rows)
	for ; n > leastScatteredUnits && !p.Fits(scatteredCost(s, n), mapShare); n /= 2 {
	}
	if n < leastScatteredUnits || !p.Fits(scatteredCost(s, n), mapShare) {
		return nil, nil
	}
	rows := rng.New(p.Seed, "units of scattered layers").Sample(s.Writes[0].Rows, n)
	writes, err := unitsOf(ctx, s.Writes, rows)
	if err != nil {
		return nil, err
	}
	reads, err := unitsOf(ctx, s.Reads, rows)
	if err != nil {
		return nil, err
	}
	gains, err := gainsOf(ctx, s.Norms)
	if err != nil {
		return nil, err
	}
	found := gather(reads, writes)
	if len(found) == 0 {
		return nil, nil
	}
	norms(found, reads, gains)
	return s.Networks(found), nil
}

func scatteredCost(s *roles.Scattered, units int) (bytes int64) {
	for _, m := range slices.Concat(s.Reads, s.Writes) {
		bytes += m.Cost(units)
	}
	for _, v := range s.Norms {
		bytes += v.Cost()
	}
	return bytes
}

// scatteredRows are the same units of one matrix.
type scatteredRows struct {
	unit    []float32 // units × dim, of length 1
	ranks   []float64 // of the units' lengths
	columns []float64 // logarithms of the columns' lengths
	oneWay  float64   // length of the mean of unit
	n, dim  int
}

func unitsOf(ctx context.Context, all []*roles.Matrix, rows []int) (out []scatteredRows, err error) {
	for _, m := range all {
		r, err := axis.ReadRows(ctx, m, rows, false)
		if err != nil {
			return nil, err
		}
		out = append(out, scatteredOf(r))
	}
	return out, nil
}

func scatteredOf(r axis.Rows) scatteredRows {
	s := scatteredRows{unit: r.Raw, columns: make([]float64, r.Dim), n: r.N, dim: r.Dim}
	length := make([]float64, r.N)
	for i := range r.N {
		row := r.Raw[i*r.Dim : (i+1)*r.Dim]
		for k, x := range row {
			square := float64(float64(x) * float64(x))
			length[i] += square
			s.columns[k] += square
		}
		scale := float32(1 / (math.Sqrt(length[i]) + math.SmallestNonzeroFloat32))
		for k := range row {
			row[k] *= scale
		}
	}
	for k, x := range s.columns {
		s.columns[k] = math.Log(x+math.SmallestNonzeroFloat32) / 2
	}
	s.ranks, s.oneWay = ranks(length), meanLength(r)
	return s
}

// meanLength is the length of the mean of rows.
func meanLength(r axis.Rows) float64 {
	mean := make([]float64, r.Dim)
	for i := range r.N {
		for k, x := range r.Raw[i*r.Dim : (i+1)*r.Dim] {
			mean[k] += float64(x)
		}
	}
	return math.Sqrt(dense.Dot64(mean, mean)) / float64(r.N)
}

// ranks gives each value its place among all.
func ranks(x []float64) []float64 {
	at := make([]int, len(x))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	out := make([]float64, len(x))
	for rank, i := range at {
		out[i] = float64(rank)
	}
	return out
}

// gather gives each matrix that writes the two that read with which it has most in
// common, each once, so that all together have most. The gate is the one whose rows point
// one way more: signs of ups are free and even out, those of gates are learned.
func gather(reads, writes []scatteredRows) (out []roles.Gathered) {
	score := make([]float64, len(reads)*2*len(writes))
	dense.Parallel(len(reads), func(i int) {
		for j := range writes {
			s := together(reads[i], writes[j])
			score[(i*len(writes)+j)*2], score[(i*len(writes)+j)*2+1] = s, s
		}
	})
	of := make([][]int, len(writes))
	for i, at := range linalg.Assign(score, len(reads), 2*len(writes)) {
		if at >= 0 {
			of[at/2] = append(of[at/2], i)
		}
	}
	for down, x := range of {
		if len(x) < 2 {
			continue // a stray
		}
		gate, up := x[0], x[1]
		if finite(reads[up].oneWay) > finite(reads[gate].oneWay) {
			gate, up = up, gate
		}
		out = append(out, roles.Gathered{Gate: gate, Up: up, Down: down, Norm: -1})
	}
	return out
}

// together is how far two matrices are from having units that know nothing of one
// another: the square of the correlation of their lengths and that of the excess of
// cosines between the two rows of a unit, each in standard deviations.
func together(x, y scatteredRows) float64 {
	lengths, _ := stats.Correlation(x.ranks, y.ranks)
	lengths = math.Atanh(max(-0.999, min(0.999, lengths))) * math.Sqrt(float64(x.n))
	own, sum, square := 0.0, 0.0, 0.0
	for i := range x.n {
		own += math.Abs(float64(dense.Dot(x.row(i), y.row(i))))
		for k := 1; k <= othersEach; k++ {
			c := math.Abs(float64(dense.Dot(x.row(i), y.row((i+k)%x.n))))
			sum, square = sum+c, square+float64(c*c)
		}
	}
	count := float64(x.n * othersEach)
	mean := sum / count
	spread := math.Sqrt(max(0, square/count-float64(mean*mean)) / float64(x.n))
	excess := (own/float64(x.n) - mean) / (spread + math.SmallestNonzeroFloat32)
	return finite(float64(lengths*lengths) + float64(excess*excess))
}

// finite is x, or nothing where values of a matrix are not numbers.
func finite(x float64) float64 {
	if x-x != 0 {
		return 0
	}
	return x
}

// othersEach is how many other units each unit is held against.
const othersEach = 8

func (s scatteredRows) row(i int) []float32 { return s.unit[i*s.dim : (i+1)*s.dim] }
