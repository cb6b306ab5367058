package evalue

import "math"

// FixedPoints returns the logarithm of the e-value of k fixed points in total
// over l independent axes. For every r the number of r-subsets of fixed points
// has mean at most l^r/r! under the null (see stats.FixedPoints), so
//
//	E = Σ_r C(k,r)·r!/l^r / ((r+1)(r+2))
//
// has mean at most 1, the weights 1/((r+1)(r+2)) over all r ≥ 0 having sum 1.
// It comes within a few digits of one over the p-value.
func FixedPoints(k, l int) float64 {
	if l < 1 {
		return 0
	}
	total := math.Inf(-1)
	for r := range k + 1 {
		falling := lgamma(k) - lgamma(k-r) // k·(k−1)⋯(k−r+1)
		weight := math.Log(float64(r+1)) + math.Log(float64(r+2))
		total = logAdd(total, falling-float64(r)*math.Log(float64(l))-weight)
	}
	return total
}

// lgamma is ln n!.
func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}

// Mix returns the logarithm of the mean of e-values given by their logarithms,
// which is an e-value whatever their dependence.
func Mix(logs ...float64) float64 {
	total := math.Inf(-1)
	for _, v := range logs {
		total = logAdd(total, v-math.Log(float64(len(logs))))
	}
	return total
}

// LogP is the logarithm of the p-value min(1, 1/E) of an e-value with
// logarithm e.
func LogP(e float64) float64 { return min(0, -e) }
