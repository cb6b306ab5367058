package relabel

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity/equality"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Moved sums up the matrices that the orders found move at all, or that differ.
type Moved struct {
	Matrices int // that were moved or differ, and look trained on both sides
	Equal    int // of these, those that then hold the same values
	Ordered  int // of the equal ones, those in another order
	Scaled   int // of the equal ones, those whose rows or inputs were scaled
	Values   int // values of the equal ones that need more than half precision, less the scales chosen
}

// fine are the bits of a float32 that no float16 or bfloat16 fills alone: two trainings
// that come to the same unit agree in the bits above long before they agree in these.
const fine = 1<<13 - 1

// mostly is the share of fine values that must be the same. Two trainings that went on
// until nothing changed may share some of the last bits by chance.
const mostly = 0.99

// roundings is how far, relative to a value, a few roundings of float32 carry it:
// eight of half a unit in the last place, as scales are put on one at a time.
const roundings = 8 * 0x1p-24

// moved holds the values of matrices against each other in the orders found: bit for
// bit, or else to rounding once rows and inputs are multiplied by one number each.
// Matrices that are the same in their places are left out, as strangers share tables.
func moved(found []*block) (m Moved) {
	for _, x := range found {
		if !equality.Learned(x.sides[0].stored, x.shape()) || !equality.Learned(x.sides[1].stored, x.shape()) {
			continue
		}
		ordered := !inPlace(x.order) || !inPlace(x.feed.order)
		values, scaled := x.same()
		if values > 0 && !ordered && !scaled {
			continue
		}
		m.Matrices++
		if values > 0 {
			m.Equal++
			m.Values += values
			m.Ordered += count(ordered)
			m.Scaled += count(scaled)
		}
	}
	return m
}

func inPlace(o order) bool { return slices.Equal(o, identity(len(o))) }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// same counts the fine values that both sides have in the orders found, less the
// scales chosen, and tells whether scales were; none where the matrices differ.
func (x *block) same() (values int, scaled bool) {
	a, b := x.sides[0].stored, x.picked(x.fed(1, feed{order: x.feed.order}), x.order)
	if same, n := equal(a, b); n > 0 && float64(same) >= mostly*float64(n) {
		return n, false
	}
	r, c := x.scales(a, b)
	same, n := x.equalToScale(a, b, r, c)
	if float64(same) < mostly*float64(n) {
		return 0, false
	}
	if ones(r, c) {
		return n, false
	}
	return max(0, n-len(r)-len(c)), true
}

// equal counts fine values of A, and those of them that B has bit for bit.
func equal(a, b []float32) (same, n int) {
	for i, v := range a {
		if math.Float32bits(v)&fine == 0 {
			continue
		}
		n++
		if math.Float32bits(v) == math.Float32bits(b[i]) {
			same++
		}
	}
	return same, n
}

// equalToScale counts fine values of B, and those of them that A has to rounding once
// each of its rows is multiplied by one of r, and each of its inputs by one of c.
func (v view) equalToScale(a, b []float32, r, c []float64) (same, n int) {
	for at, x := range b {
		if math.Float32bits(x)&fine == 0 {
			continue
		}
		n++
		want := float64(a[at]) * r[at/v.cols()] * c[at%v.cols()/v.window]
		if math.Abs(float64(x)-want) <= roundings*math.Abs(want) {
			same++
		}
	}
	return same, n
}

// sampled is how many ratios a scale is the median of.
const sampled = 255

// scales are what A's rows and inputs are multiplied by in B: medians of ratios, of
// rows and of inputs in turn. Each sees the same places of all rows, and of all inputs,
// so that they are exact where nothing but scales differ.
func (v view) scales(a, b []float32) (r, c []float64) {
	r, c = units(v.rows), units(v.inputs)
	ratio := func(i, j, k int) float64 {
		at := (i*v.inputs+j)*v.window + k%v.window
		return float64(b[at]) / (float64(a[at]) * r[i] * c[j])
	}
	for range 4 {
		medians(r, v.cols(), func(i, k int) float64 { return ratio(i, k/v.window, k) })
		medians(c, v.rows*v.window, func(j, k int) float64 { return ratio(k/v.window, j, k) })
	}
	return r, c
}

// ones tells whether all scales are 1 to rounding.
func ones(scales ...[]float64) bool {
	for _, s := range slices.Concat(scales...) {
		if math.Abs(s-1) > roundings {
			return false
		}
	}
	return true
}

// medians multiplies each scale by the median of a sample of its n ratios.
func medians(scales []float64, n int, ratio func(i, k int) float64) {
	step := max(1, n/sampled)
	for i := range scales {
		var all []float64
		for k := 0; k < n; k += step {
			if v := ratio(i, k); !math.IsNaN(v) && !math.IsInf(v, 0) {
				all = append(all, v)
			}
		}
		if len(all) > 0 {
			scales[i] *= stats.Median(all)
		}
	}
}
