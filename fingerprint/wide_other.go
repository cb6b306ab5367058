//go:build !amd64 || purego

package fingerprint

// ordinaryHalves counts leading bytes that are known to hold no NaN.
func ordinaryHalves([]byte) int { return 0 }

// combine adds values with signs that bits flip.
func combine(sums *[atOnce]float64, x []float64, flips [][atOnce]uint64) {
	combinePlain(sums, x, flips)
}
