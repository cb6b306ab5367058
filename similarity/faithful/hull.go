package faithful

import (
	"math"
	"slices"
)

// A scale that is fitted with weights to values and their codes is a weighted mean
// of what each value would ask for, whatever the weights. So it lies between the
// least and the largest of these, and a line lies between the values.

// hullFault tells whether a scale lies outside what values x ask for that have
// the levels l, by more than its own rounding.
func hullFault(x []float32, l []float64, scale, slack float64) bool {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, v := range x {
		if l[i] != 0 {
			r := float64(v) / l[i]
			lo, hi = min(lo, r), max(hi, r)
		}
	}
	room := slack*math.Abs(scale) + 1e-6*max(math.Abs(lo), math.Abs(hi))
	return scale != 0 && (scale < lo-room || scale > hi+room)
}

// lineHullFault tells whether a line can be no weighted least-squares line through
// values with levels l: the values then lie above it on one side of some level and
// below it on the other. A line through the origin must have values on both sides.
func lineHullFault(x []float32, l []int, scale, low, slack float64) bool {
	type place struct{ above, below bool }
	at := map[int]place{}
	for i, v := range x {
		r := float64(v) - scale*float64(l[i]) - low
		room := slack*(math.Abs(scale)*float64(l[i])+math.Abs(low)) + 1e-6*math.Abs(float64(v))
		p := at[l[i]]
		p.above, p.below = p.above || r >= -room, p.below || r <= room
		at[l[i]] = p
	}
	order := make([]int, 0, len(at))
	for k := range at {
		order = append(order, k)
	}
	slices.Sort(order)
	turns, side, both := 0, 0, false
	for _, k := range order {
		p := at[k]
		switch {
		case p.above && p.below:
			both = true
		case p.above && side < 0, p.below && side > 0:
			turns++
		}
		if p.above != p.below {
			side = -1
			if p.above {
				side = 1
			}
		}
	}
	if math.Abs(low) == 0 {
		return !both && turns == 0
	}
	return !both && turns < 2
}
