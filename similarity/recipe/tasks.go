package recipe

import (
	"math"
	"slices"
)

// densities are tried for TIES; the best one is then refined.
var densities = []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1}

// tasks lists, for every choice of a base, the other parents whose task
// vectors explain part of the child.
func tasks(all []*tensorFit, n int) (out []task) {
	for b := range n {
		var use []int
		for k := range n {
			if k != b {
				use = append(use, k)
			}
		}
		if len(use) == 0 || len(present(all, []int{b})) == 0 {
			continue
		}
		f := regress(all, append([]int{b}, use...))
		var active []int
		for _, k := range taking(f.weights) {
			if k != b {
				active = append(active, k)
			}
		}
		if len(active) > 0 && len(active) <= 4 {
			out = append(out, task{b, active, f.weights})
		}
	}
	return out
}

type task struct {
	base    int
	active  []int
	weights []float64
}

// tiesCandidates repeats the method on the parents: keep the largest entries
// of each task vector, elect a sign for each entry by total mass, average the
// task vectors that agree with it, scale.
func tiesCandidates(all []*tensorFit, n int) (out []candidate) {
	for _, t := range tasks(all, n) {
		best := candidate{method: TIES, base: t.base, rss: math.Inf(1)}
		try := func(density float64) {
			lambda, rss := tiesFit(all, t, density)
			if rss < best.rss {
				best.density, best.rss = density, rss
				best.weights = make([]float64, n)
				for _, k := range t.active {
					best.weights[k] = lambda / float64(len(t.active))
				}
				best.weights[t.base] = 1 - lambda
			}
		}
		for _, d := range densities {
			try(d)
		}
		for _, step := range []float64{-0.02, -0.01, 0.01, 0.02} {
			if d := best.density + step; d > 0 && d <= 1 {
				try(d)
			}
		}
		if best.weights != nil {
			out = append(out, best)
		}
	}
	return out
}

// tiesFit merges at a density and returns the scale that fits best and what it
// leaves.
func tiesFit(all []*tensorFit, t task, density float64) (lambda, rss float64) {
	var xy, xx, yy float64
	for _, f := range all {
		if !f.has(append([]int{t.base}, t.active...)) {
			continue
		}
		cut := make([]float64, len(t.active))
		for i, k := range t.active {
			cut[i] = f.cut(t.base, k, density)
		}
		for j, y := range f.y {
			b := float64(f.x[t.base][j])
			var mass, sum float64
			n := 0
			for i, k := range t.active {
				if d := float64(f.x[k][j]) - b; math.Abs(d) >= cut[i] {
					mass += d
				}
			}
			for i, k := range t.active {
				if d := float64(f.x[k][j]) - b; math.Abs(d) >= cut[i] && d*mass > 0 {
					sum += d
					n++
				}
			}
			if n > 0 {
				sum /= float64(n)
			}
			e := float64(y) - b
			xy, xx, yy = xy+float64(sum*e), xx+float64(sum*sum), yy+float64(e*e)
		}
	}
	if xx == 0 {
		return 0, yy
	}
	return xy / xx, math.Max(0, yy-xy*xy/xx)
}

// cut is the size that the given share of a tensor's task vector reaches.
func (t *tensorFit) cut(base, k int, density float64) float64 {
	d := make([]float64, len(t.y))
	for j := range d {
		d[j] = math.Abs(float64(t.x[k][j]) - float64(t.x[base][j]))
	}
	slices.Sort(d)
	keep := int(math.Round(density * float64(len(d))))
	if keep >= len(d) {
		return 0
	}
	return d[len(d)-max(1, keep)]
}

// dareCandidates looks for task vectors whose entries were dropped at random
// and the others scaled up: every entry of the child is the base plus some of
// the scaled entries.
func dareCandidates(all []*tensorFit, n int) (out []candidate) {
	for _, t := range tasks(all, n) {
		best := candidate{method: DARE, base: t.base, rss: math.Inf(1)}
		for _, keep := range []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9} {
			scale := make([]float64, len(t.active))
			for i, k := range t.active {
				scale[i] = t.weights[k] / keep
			}
			var rss float64
			var share []float64
			for range 4 {
				scale, share, rss = dareStep(all, t, scale)
			}
			if rss < best.rss {
				best.rss, best.density = rss, 0
				best.weights = make([]float64, n)
				best.weights[t.base] = 1
				for i, k := range t.active {
					best.density += share[i] / float64(len(t.active))
					best.weights[k] = scale[i] * share[i]
					best.weights[t.base] -= best.weights[k]
				}
			}
		}
		if best.weights != nil && best.density < 0.98 {
			out = append(out, best)
		}
	}
	return out
}

// dareStep gives every entry to the set of task vectors that explains it best,
// and fits the scales anew. Entries too small to tell are not counted in the
// shares.
func dareStep(all []*tensorFit, t task, scale []float64) (next, share []float64, rss float64) {
	m := len(t.active)
	xx, xy := make([]float64, m), make([]float64, m)
	kept, told := make([]float64, m), make([]float64, m)
	d := make([]float64, m)
	for _, f := range all {
		if !f.has(append([]int{t.base}, t.active...)) {
			continue
		}
		for j, y := range f.y {
			b := float64(f.x[t.base][j])
			e := float64(y) - b
			for i, k := range t.active {
				d[i] = float64(f.x[k][j]) - b
			}
			best, which := math.Inf(1), 0
			for set := range 1 << m {
				left := e
				for i := range m {
					if set>>i&1 == 1 {
						left -= scale[i] * d[i]
					}
				}
				if a := math.Abs(left); a < best {
					best, which = a, set
				}
			}
			rss += float64(best * best)
			coarse := math.Abs(float64(y)) / 64 // well above what rounding blurs
			for i := range m {
				if math.Abs(scale[i]*d[i]) > coarse {
					told[i]++
					if which>>i&1 == 1 {
						kept[i]++
					}
				}
			}
			if which&(which-1) == 0 && which != 0 {
				i := 0
				for which>>i&1 == 0 {
					i++
				}
				xx[i] += float64(d[i] * d[i])
				xy[i] += float64(d[i] * e)
			}
		}
	}
	next, share = make([]float64, m), make([]float64, m)
	for i := range m {
		next[i] = scale[i]
		if xx[i] > 0 {
			next[i] = xy[i] / xx[i]
		}
		share[i] = kept[i] / math.Max(1, told[i])
	}
	return next, share, rss
}
