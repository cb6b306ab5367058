package fingerprint

import (
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// eligible marks units that can be told apart: finite, not nearly constant, no
// row of a fixed table, and no exact copy of another.
func eligible(x []float32, n, d int) []bool {
	out := make([]bool, n)
	for i := range out {
		row := x[i*d : (i+1)*d]
		out[i] = dense.Varies(row) && !tabular(row)
		for j := range i {
			if out[i] && slices.Equal(row, x[j*d:(j+1)*d]) {
				out[i], out[j] = false, false
			}
		}
	}
	return out
}

// tabular tells whether a row is a formula's: a constant, ramp, exponential or
// sinusoid, of which every value follows from the two before it,
// x[k+1] = c·x[k] − x[k−1]. Such rows are alike in networks that share nothing.
func tabular(row []float32) bool {
	if len(row) < 8 || begunFreely(row) {
		return false
	}
	square, apart := recurrence(row)
	return square == 0 || apart <= formula*square
}

// formula is how far a formula's values may be from it, as a share of their squares.
const formula = 1e-3

// begunFreely tells of most rows that they are no formula's by where they begin: no
// multiplier comes nearer to all values than the best one comes to the first, and what
// these leave is twice what all may.
func begunFreely(row []float32) bool {
	const first = 128
	if len(row) <= 2*first {
		return false
	}
	_, apart := recurrence(row[:first])
	return apart > 2*formula*squared(row)
}

// recurrence returns Σ x[k]² over the values that have two neighbours, and the least
// squares of x[k−1] + x[k+1] − c·x[k].
func recurrence(row []float32) (square, apart float64) {
	cross, outer := 0.0, 0.0
	for k := 1; k+1 < len(row); k++ {
		v, sum := float64(row[k]), float64(row[k-1])+float64(row[k+1])
		cross += float64(v * sum)
		square += float64(v * v)
		outer += float64(sum * sum)
	}
	return square, outer - float64(cross*(cross/square))
}

// trend is Kendall's S of the units' squared lengths against their order: the
// pairs that rise less those that fall. An axis whose units were sorted shows
// here, and is no ground for a test.
func trend(x []float32, n, d int, ok []bool) int {
	var lengths []float64
	for i := range n {
		if ok[i] {
			sum := 0.0
			for _, v := range x[i*d : (i+1)*d] {
				sum += float64(float64(v) * float64(v))
			}
			lengths = append(lengths, sum)
		}
	}
	s := 0
	for i, a := range lengths {
		for _, b := range lengths[i+1:] {
			switch {
			case b > a:
				s++
			case b < a:
				s--
			}
		}
	}
	return s
}
