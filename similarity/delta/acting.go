package delta

import (
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/similarity/stats"
)

// Acting says how alike the columns of two matrices are in length as they act: with the
// gain of the norm before them multiplied in, all rows at one length. Whoever moves gains
// between a norm and the columns behind it does not alter that, nor who scales units
// against what follows them. Columns is how many there are, 0 where it was not asked.
type Acting struct {
	Correlation float64
	Columns     int
}

// fixed are the matrices (last words of roles) whose rows no change of basis mixes that
// keeps what a network computes; those of values may be mixed within a head.
var fixed = []string{"q", "k", "gate", "up"}

// acting sums up the squares of columns as they act; nil where they are not asked.
type acting struct {
	gains [2][]float32
	sums  [2][]float64
	row   []float64
}

func newActing(role string, gains [2][]float32) *acting {
	if gains[0] == nil || !slices.Contains(fixed, role[strings.LastIndexByte(role, '.')+1:]) {
		return nil
	}
	n := len(gains[0])
	return &acting{gains, [2][]float64{make([]float64, n), make([]float64, n)}, make([]float64, n)}
}

// add takes some rows of both sides.
func (x *acting) add(a, b []float32) {
	if x == nil {
		return
	}
	for side, values := range [][]float32{a, b} {
		for first := 0; first < len(values); first += len(x.row) {
			x.addRow(side, values[first:first+len(x.row)])
		}
	}
}

func (x *acting) addRow(side int, row []float32) {
	gains, squares, sums, total := x.gains[side][:len(row)], x.row[:len(row)], x.sums[side][:len(row)], 0.0
	for k, v := range row {
		w := float64(v) * float64(gains[k])
		squares[k] = float64(w * w)
		total += squares[k]
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return
	}
	for k, v := range squares {
		sums[k] += v / total
	}
}

func (x *acting) result() (out Acting) {
	if x == nil {
		return out
	}
	for _, sums := range x.sums {
		for k, v := range sums {
			sums[k] = math.Sqrt(v)
		}
	}
	if c, ok := stats.Correlation(x.sums[0], x.sums[1]); ok {
		out = Acting{c, len(x.row)}
	}
	return out
}
