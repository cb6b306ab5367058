package stats

import "slices"

// Median is the middle of values, or the mean of the two in the middle. There must be one.
func Median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// Nth is value number n from 0 on in the order of size, as sorting finds it, in time that
// grows with the number of values (Hoare 1961). The order of x changes.
func Nth(x []float64, n int) float64 {
	if first := nansFirst(x); n >= first {
		x, n = x[first:], n-first
	}
	for len(x) > 1 {
		below, above := parted(x)
		switch {
		case n < below:
			x = x[:below]
		case n >= above:
			x, n = x[above:], n-above
		default:
			return x[n]
		}
	}
	return x[0]
}

// nansFirst puts values that are no numbers where sorting does, and counts them.
func nansFirst(x []float64) (count int) {
	for k, v := range x {
		if v != v {
			x[k], x[count] = x[count], v
			count++
		}
	}
	return count
}

// parted puts values below the middle one of three before those that equal it, and larger
// ones behind.
func parted(x []float64) (below, above int) {
	a, b, c := x[0], x[len(x)/2], x[len(x)-1]
	pivot := max(min(a, b), min(max(a, b), c))
	above = len(x)
	for k := 0; k < above; {
		switch v := x[k]; {
		case v < pivot:
			x[k], x[below] = x[below], v
			below++
			k++
		case v > pivot:
			above--
			x[k], x[above] = x[above], v
		default:
			k++
		}
	}
	return below, above
}
