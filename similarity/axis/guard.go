package axis

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// The guards that stand between data and a p-value. Each is a rule that looks
// at one subject alone, so that none of them can see the answer.
const (
	MinUnits       = 16   // eligible units an axis must have on either side
	minRank        = 8.0  // effective rank of the units on either side
	exchangeZ      = 3.3  // |z| at which the order of units counts as structured (two-sided 1e-3)
	OrderCheckLoss = 0.03 // bound on how often the order check stops a good axis (9 checks of up to 3 views), paid for in every combination
	orthogonal     = 0.02 // rows whose cosines are all this small a share of what random rows show, 1/√d, are a fixed basis: rounding to bf16 leaves a third of that
)

// eligible marks the rows of X (n×d) that can be told apart: finite, not nearly
// constant, and no exact copy of another.
func eligible(x []float32, n, d int, ok []bool) {
	seen := map[uint64][]int{}
	for i := range n {
		row := x[i*d : (i+1)*d]
		if !dense.Varies(row) {
			ok[i] = false
			continue
		}
		h := hashed(row)
		twin := slices.IndexFunc(seen[h], func(k int) bool { return sameBits(row, x[k*d:(k+1)*d]) })
		if twin >= 0 {
			ok[i], ok[seen[h][twin]] = false, false
			continue
		}
		seen[h] = append(seen[h], i)
	}
}

// hashed tells most rows apart.
func hashed(row []float32) uint64 {
	const odd = 0x9e3779b97f4a7c15
	a, b := uint64(len(row)), uint64(odd)
	k := 0
	for ; k+4 <= len(row); k += 4 {
		a = (a ^ two(row[k:])) * odd
		b = (b ^ two(row[k+2:])) * odd
		a, b = a^a>>32, b^b>>32
	}
	for ; k < len(row); k++ {
		a = (a ^ uint64(math.Float32bits(row[k]))) * odd
		a ^= a >> 32
	}
	return a ^ b*odd
}

// two are the bits of two values.
func two(row []float32) uint64 {
	return uint64(math.Float32bits(row[0])) | uint64(math.Float32bits(row[1]))<<32
}

func sameBits(x, y []float32) bool {
	for k, v := range x {
		if math.Float32bits(v) != math.Float32bits(y[k]) {
			return false
		}
	}
	return true
}
