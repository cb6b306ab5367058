package stats

import "math"

// RoundUp rounds a likeness up to two digits: what is stated to be found is.
func RoundUp(x float64) float64 {
	if !(x > 0) {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Min(1, math.Round(math.Ceil(x/unit-1e-9)*unit*1e6)/1e6)
}
