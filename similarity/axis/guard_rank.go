package axis

import (
	"fmt"
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// gramRows is how many units are enough to know the rank and the spread of the
// cosines of an axis.
const gramRows = 128

// gram holds the cosines between the first eligible units of one side.
type gram struct {
	cosines []float32 // n × n
	n, dim  int
}

func gramOf(unit []float32, n, d int, ok []bool) gram {
	rows, count := first(unit, n, d, ok)
	g := gram{make([]float32, count*count), count, d}
	dense.Gram(g.cosines, rows, count, d)
	return g
}

// first are the first eligible rows, in place where no other stands between them.
func first(unit []float32, n, d int, ok []bool) (rows []float32, count int) {
	for count < min(n, gramRows) && ok[count] {
		count++
	}
	if count == min(n, gramRows) {
		return unit[:count*d], count
	}
	rows, count = nil, 0
	for i := range n {
		if ok[i] && count < gramRows {
			rows = append(rows, unit[i*d:(i+1)*d]...)
			count++
		}
	}
	return rows, count
}

// adjacency is the z-score of the mean cosine between neighbouring rows
// against all pairs of rows that the gram matrix has.
func (g gram) adjacency(rows [][]float32) float64 {
	if g.n < 3 {
		return 0
	}
	var all, squares float64
	for i := range g.n {
		for _, v := range g.cosines[i*g.n+i+1 : (i+1)*g.n] {
			c := float64(v)
			all += c
			squares += float64(c * c)
		}
	}
	var next float64
	for i := 1; i < len(rows); i++ {
		if i < g.n {
			next += float64(g.cosines[(i-1)*g.n+i])
		} else {
			next += float64(dense.Dot(rows[i-1], rows[i]))
		}
	}
	pairs := float64(g.n * (g.n - 1) / 2)
	mean := all / pairs
	variance := squares/pairs - float64(mean*mean)
	if variance <= 0 {
		return 0
	}
	steps := float64(len(rows) - 1)
	return (next/steps - mean) / math.Sqrt(variance/steps)
}

// directions is the number of dimensions in which vectors of random direction
// would meet at cosines of this size: the inverse of their mean square, each
// vector with itself left out.
func (g gram) directions() float64 {
	var squares float64
	for i := range g.n {
		for _, v := range g.cosines[i*g.n+i+1 : (i+1)*g.n] {
			squares += float64(float64(v) * float64(v))
		}
	}
	if pairs := float64(g.n * (g.n - 1) / 2); squares > 0 {
		return math.Min(pairs/squares, float64(g.dim))
	}
	return float64(g.dim)
}

// defect reports an axis of too low rank.
func (g gram) defect() string {
	var squares float64
	for _, v := range g.cosines {
		squares += float64(float64(v) * float64(v))
	}
	if rank := float64(g.n*g.n) / squares; rank < minRank {
		return fmt.Sprintf("the effective rank of the units is below %g", minRank)
	}
	return ""
}

// basis reports rows of X that are orthogonal to rounding, which no training
// produces but every fixed transform does. It looks at them as they are:
// without their mean, n orthogonal rows are orthogonal no more, but meet at a
// cosine of −1/(n−1).
func basis(x []float32, n, d int, ok []bool) string {
	limit := orthogonal / math.Sqrt(float64(d))
	var rows [][]float32
	for i := range n {
		if !ok[i] || len(rows) == gramRows {
			continue
		}
		row := x[i*d : (i+1)*d]
		for _, other := range rows {
			if c := float64(dense.Dot(row, other)); !(math.Abs(c) <= limit*dense.Norm(row)*dense.Norm(other)) {
				return ""
			}
		}
		rows = append(rows, row)
	}
	if len(rows) < 3 {
		return ""
	}
	return "the units form an orthogonal basis, as fixed transforms do"
}
