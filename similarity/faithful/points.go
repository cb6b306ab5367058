package faithful

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/quant"
)

// pointSearch serves the types that choose several values together: signs are
// those of the values, all but one where they come in even numbers, and a point is
// the one that the values round to under some scale, or one of the nearest to
// where they round to. Which scale, importance decides.
func pointSearch(name string) search {
	g, points := quant.Grids[name], quant.Points[name]
	return func(x, v []float32, block []byte) (f fault) {
		for i := 0; i < len(x); i += 8 {
			signFault(&f, g, i, x[i:i+8], v[i:i+8])
		}
		for _, p := range points(block) {
			switch {
			case !finite(p.Scale):
				f.worse(p.Start, 1, noNumber)
			case p.Scale != 0:
				pointFault(&f, g, p, x[p.Start:p.Start+p.N])
			}
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
	if v[0] == 0 || wrong == allowed || wrong == len(x)-allowed {
		return // a scale of zero has no signs; a negative one turns all of them
	}
	f.worse(at+first, float64(wrong), "the signs are not those of the values")
}

// pointFault tells whether a point lies on the path of what all scales round to,
// or near it.
func pointFault(f *fault, g *quant.Grid, p quant.Point, x []float32) {
	size := make([]float64, len(x))
	for i, v := range x {
		size[i] = math.Abs(float64(v))
		if (v < 0) != (p.Signs>>i&1 == 1) {
			size[i] = -size[i]
		}
	}
	nearest := math.Inf(1)
	found := path(size, len(g.Levels), func(l []int) bool {
		_, near := g.Near(l)
		if slices.Contains(near, uint16(p.Index)) {
			return true
		}
		nearest = min(nearest, stepsTo(g, p.Index, near[0]))
		return false
	})
	if !found {
		f.worse(p.Start, nearest, "the point is none that the values round to under any scale")
	}
}

// edge is a scale at which a value goes from one level to the next.
type edge struct {
	scale float64
	value int
}

// tied is how close two edges lie, relatively, for arithmetic to take them in
// either order.
const tied = 1e-5

// path walks through all that values round to as the scale grows from nothing: at
// first the highest levels, at last the lowest. Where several values change level
// together each order is tried. It stops when try says so.
func path(x []float64, levels int, try func(l []int) bool) bool {
	var edges []edge
	l := make([]int, len(x))
	for i, v := range x {
		if v <= 0 {
			continue
		}
		l[i] = levels - 1
		for k := range levels - 1 {
			edges = append(edges, edge{v / float64(2*k+2), i})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.scale < b.scale {
			return -1
		}
		return 1
	})
	if try(l) {
		return true
	}
	for at := 0; at < len(edges); {
		n := 1
		for at+n < len(edges) && edges[at+n].scale <= edges[at].scale*(1+tied) {
			n++
		}
		if together(l, edges[at:at+n], try) {
			return true
		}
		at += n
	}
	return false
}

// mostTied bounds the orders that are tried.
const mostTied = 6

// together lowers the levels of tied edges, trying every part of them on the way.
func together(l []int, tie []edge, try func(l []int) bool) bool {
	if len(tie) > 1 && len(tie) <= mostTied {
		for part := 1; part < 1<<len(tie)-1; part++ {
			some := slices.Clone(l)
			for k, e := range tie {
				some[e.value] -= part >> k & 1
			}
			if try(some) {
				return true
			}
		}
	}
	for _, e := range tie {
		l[e.value]--
	}
	return try(l)
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
