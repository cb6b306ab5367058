package stats

import "slices"

// Median is the middle of values, or the mean of the two in the middle. There must be one.
func Median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
