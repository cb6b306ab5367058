package axis

import (
	"math"

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
	twins := twins{x: x, d: d, seen: make(map[uint64][]int, n)}
	for i := range n {
		if !dense.Varies(x[i*d : (i+1)*d]) {
			ok[i] = false
		} else if twin := twins.of(i); twin >= 0 {
			ok[i], ok[twin] = false, false
		}
	}
}

// twins finds rows that hold the same bits: by a few values of each, and where many rows
// have these in common, by all.
type twins struct {
	x    []float32
	d    int
	seen map[uint64][]int // rows that hash to a number
}

const (
	marked = 16 // values that tell most rows apart
	crowd  = 4  // rows that have them in common
)

// of is an earlier row with the bits of row i, or −1. The row is known from then on.
func (t *twins) of(i int) int {
	row := t.row(i)
	var few [marked]float32
	for k := range min(marked, len(row)) {
		few[k] = row[k*len(row)/marked]
	}
	h := hashed(few[:])
	if twin := t.among(h, row); twin >= 0 {
		return twin
	}
	if len(t.seen[h]) >= crowd {
		h = ^hashed(row)
		if twin := t.among(h, row); twin >= 0 {
			return twin
		}
	}
	t.seen[h] = append(t.seen[h], i)
	return -1
}

func (t *twins) row(i int) []float32 { return t.x[i*t.d : (i+1)*t.d] }

func (t *twins) among(h uint64, row []float32) int {
	for _, k := range t.seen[h] {
		if sameBits(row, t.row(k)) {
			return k
		}
	}
	return -1
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
