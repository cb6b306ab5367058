package faithful

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/quant"
)

// scaleReach is how far, relatively, the scale under which a point was chosen can
// lie from the one that is stored: the stored one has four bits, and is fitted
// anew after the points are chosen.
const scaleReach = 0.35

// scaleTrials is how many scales are tried in that range.
const scaleTrials = 57

// pointSearch serves the types that choose several values together: signs are
// those of the values, all but one where they come in even numbers, and a point is
// the one that the values round to under some scale within reach, or near it.
func pointSearch(name string) search {
	g, points := quant.Grids[name], quant.Points[name]
	return func(x, v []float32, block []byte) (f fault) {
		all := points(block)
		for i := 0; i < len(x); i += 8 {
			signFault(&f, g, i, x[i:i+8], v[i:i+8])
		}
		for _, p := range all {
			pointFault(&f, g, p, x[p.Start:p.Start+p.N])
		}
		return f
	}
}

// signFault counts the signs of eight values that are not theirs. Zero has the
// sign of positive numbers.
func signFault(f *fault, g *quant.Grid, at int, x, v []float32) {
	wrong, negative, first := 0, 0, 0
	for i := range x {
		if x[i] < 0 {
			negative++
		}
		if (x[i] < 0) != math.Signbit(float64(v[i])) {
			if wrong++; wrong == 1 {
				first = i
			}
		}
	}
	allowed := 0
	if g.Parity {
		allowed = negative % 2
	}
	if v[0] == 0 || wrong == allowed {
		return // a scale of zero has no signs
	}
	f.worse(at+first, float64(wrong), "the signs are not those of the values")
}

// pointFault tells whether a point lies within what some scale rounds to.
func pointFault(f *fault, g *quant.Grid, p quant.Point, x []float32) {
	unit := float64(p.Scale) * float64(g.Levels[0])
	if unit <= 0 {
		return
	}
	size := make([]float64, len(x))
	for i, v := range x {
		size[i] = math.Abs(float64(v))
		if (v < 0) != (p.Signs>>i&1 == 1) {
			size[i] = -size[i]
		}
	}
	var last []int
	nearest := math.Inf(1)
	for k := range scaleTrials {
		s := unit * (1 - scaleReach + 2*scaleReach*float64(k)/(scaleTrials-1))
		l := make([]int, len(x))
		for i, v := range size {
			l[i] = int(max(0, min(float64(len(g.Levels)-1), math.RoundToEven((v/s-1)/2))))
		}
		if slices.Equal(l, last) {
			continue
		}
		last = l
		_, near := g.Near(l)
		if slices.Contains(near, uint16(p.Index)) {
			return
		}
		nearest = min(nearest, stepsTo(g, p.Index, near[0]))
	}
	f.worse(p.Start, nearest, "the point is none that the values round to")
}

// stepsTo is how many levels two points are apart, all values together.
func stepsTo(g *quant.Grid, a int, b uint16) (n float64) {
	for i := range g.Len() {
		x, _ := slices.BinarySearch(g.Levels, g.Value(a, i))
		y, _ := slices.BinarySearch(g.Levels, g.Value(int(b), i))
		n += math.Abs(float64(x - y))
	}
	return n
}
