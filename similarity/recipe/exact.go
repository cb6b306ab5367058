package recipe

import (
	"math"
	"slices"
)

// Weights are taken for the roundest number that the fit does not exclude:
// nobody mixes with 0.2998.
var grids = []float64{0.05, 0.01, 0.001}

const nearGrid = 2e-4

func nearest(w, ci float64) float64 {
	for _, step := range grids {
		if n := math.Round(w/step) * step; math.Abs(n-w) < max(nearGrid, 2*ci) {
			return n
		}
	}
	return w
}

// exact is the share of the child's values that are what the mixture rounds to,
// value by value, in the child's type, of those where the parents differ; ok is false where its type does not round
// to 16 bits or less, or where the method is none that can be repeated exactly.
// The one who mixed the parents got these very values. Mixing backwards, the
// child and one parent to the other, does not, as the roundings of both go in.
func exact(all []*tensorFit, r *Recipe) (share float64, ok bool) {
	if r.Method != Linear && r.Method != TaskArithmetic && r.Method != SLERP {
		return 0, false
	}
	weights := slices.Clone(r.Weights)
	for k, w := range weights {
		weights[k] = nearest(w, r.CI[k])
	}
	active := taking(weights)
	equal, n := 0, 0
	for _, t := range all {
		round := t.dtype.Rounding()
		if round == nil || !t.has(active) {
			continue
		}
		w := weights
		if r.Method == SLERP {
			w = t.arc(weights, active)
		}
		for j, y := range t.y {
			mix, differ := 0.0, false
			for _, k := range active {
				mix += float64(w[k] * float64(t.x[k][j]))
				differ = differ || t.x[k][j] != t.x[active[0]][j]
			}
			if !differ {
				continue
			}
			n++
			if round(float32(mix)) == y {
				equal++
			}
		}
	}
	return float64(equal) / float64(max(1, n)), n > 0
}

// arc turns the place on the arc between two parents into weights of a tensor.
func (t *tensorFit) arc(weights []float64, active []int) []float64 {
	if len(active) != 2 {
		return weights
	}
	p, q := active[0], active[1]
	m := t.moments(p, q)
	theta := math.Acos(max(-1, min(1, m.pq/math.Sqrt(max(m.pp*m.qq, 1e-300)))))
	if theta < 1e-6 {
		return weights
	}
	out := slices.Clone(weights)
	out[p], out[q] = math.Sin((1-weights[q])*theta)/math.Sin(theta), math.Sin(weights[q]*theta)/math.Sin(theta)
	return out
}
