package evalue

import (
	"math"
	"math/bits"
)

// LogPermanent returns the logarithm of the permanent of exp(x), elementwise,
// for a row-major m×m matrix x: the sum over all permutations π of
// exp(Σ x[i,π(i)]). It takes m·2^m steps and 2^m numbers of memory; m is at
// most 16.
func LogPermanent(x []float64, m int) float64 {
	scaled, shift := make([]float64, m*m), 0.0
	for i := range m {
		top := math.Inf(-1)
		for _, v := range x[i*m : (i+1)*m] {
			top = max(top, v)
		}
		for j, v := range x[i*m : (i+1)*m] {
			scaled[i*m+j] = math.Exp(v - top)
		}
		shift += top
	}
	if p := permanent(scaled, m); p > 1e-200 {
		return math.Log(p) + shift
	}
	return logPermanent(x, m) // too small to be summed as it is
}

// permanent runs over the sets of columns that the first rows may take, by
// their size: what is known of a set goes to all sets with one column more.
func permanent(x []float64, m int) float64 {
	sums := make([]float64, 1<<m)
	sums[0] = 1
	for set := range 1<<m - 1 {
		s := sums[set]
		if s == 0 {
			continue
		}
		row := x[bits.OnesCount(uint(set))*m:]
		for free := uint(1<<m-1) &^ uint(set); free != 0; free &= free - 1 {
			sums[uint(set)|free&-free] += float64(s * row[bits.TrailingZeros(free)])
		}
	}
	return sums[1<<m-1]
}

// logPermanent is permanent on logarithms.
func logPermanent(x []float64, m int) float64 {
	sums := make([]float64, 1<<m)
	for set := 1; set < 1<<m; set++ {
		row := x[(bits.OnesCount(uint(set))-1)*m:]
		sums[set] = math.Inf(-1)
		for j := range m {
			if bit := 1 << j; set&bit != 0 {
				sums[set] = logAdd(sums[set], sums[set&^bit]+row[j])
			}
		}
	}
	return sums[1<<m-1]
}

// logAdd is ln(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
