package recipe

import (
	"math"
	"slices"
)

// Densities of TIES are tried in steps of five percent; around the best one all
// are.
const densityStep = 5

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
	few := thinned(all)
	for _, t := range tasks(all, n) {
		best := candidate{method: TIES, base: t.base, rss: math.Inf(1)}
		percent, of := 0, few
		try := func(density int) {
			lambda, rss := tiesFit(of, t, density)
			if rss < best.rss {
				percent = density
				best.density, best.rss = float64(density)/100, rss
				best.weights = make([]float64, n)
				for _, k := range t.active {
					best.weights[k] = lambda / float64(len(t.active))
				}
				best.weights[t.base] = 1 - lambda
			}
		}
		for d := densityStep; d <= 100; d += densityStep {
			try(d)
		}
		middle := percent
		of, best.rss = all, math.Inf(1)
		for d := max(1, middle-densityStep/2); d <= min(100, middle+densityStep/2); d++ {
			try(d)
		}
		if best.weights != nil {
			out = append(out, best)
		}
	}
	return out
}

// tiesFit merges at a density in percent and returns the scale that fits best
// and what it leaves.
func tiesFit(all []*tensorFit, t task, density int) (lambda, rss float64) {
	var xy, xx, yy float64
	for _, f := range all {
		if !f.has(append([]int{t.base}, t.active...)) {
			continue
		}
		cut := make([]float64, len(t.active))
		for i, k := range t.active {
			cut[i] = f.cuts(t.base, k)[density]
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

// cuts are the sizes that so many percent of a tensor's task vector reach.
func (t *tensorFit) cuts(base, k int) *[101]float64 {
	if c := t.cutsOf[[2]int{base, k}]; c != nil {
		return c
	}
	d := make([]float64, len(t.y))
	for j := range d {
		d[j] = math.Abs(float64(t.x[k][j]) - float64(t.x[base][j]))
	}
	slices.Sort(d)
	var out [101]float64
	for percent := range 100 { // all of them reach 0
		keep := int(math.Round(float64(percent) / 100 * float64(len(d))))
		out[percent] = d[len(d)-min(len(d), max(1, keep))]
	}
	if t.cutsOf == nil {
		t.cutsOf = map[[2]int]*[101]float64{}
	}
	t.cutsOf[[2]int{base, k}] = &out
	return &out
}

// dareCandidates looks for task vectors whose entries were dropped at random
// and the others scaled up: every entry of the child is the base plus some of
// the scaled entries.
func dareCandidates(all []*tensorFit, n int) (out []candidate) {
	few := thinned(all)
	for _, t := range tasks(all, n) {
		var scale []float64
		least := math.Inf(1)
		for _, keep := range []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9} {
			s := make([]float64, len(t.active))
			for i, k := range t.active {
				s[i] = t.weights[k] / keep
			}
			var rss float64
			for range 4 {
				s, _, rss = dareStep(few, t, s)
			}
			if rss < least {
				least, scale = rss, s
			}
		}
		if scale == nil {
			continue
		}
		scale, _, _ = dareStep(all, t, scale)
		scale, share, rss := dareStep(all, t, scale)
		c := candidate{method: DARE, base: t.base, rss: rss, weights: make([]float64, n)}
		c.weights[t.base] = 1
		for i, k := range t.active {
			c.density += share[i] / float64(len(t.active))
			c.weights[k] = scale[i] * share[i]
			c.weights[t.base] -= c.weights[k]
		}
		if c.density < 0.98 {
			out = append(out, c)
		}
	}
	return out
}

// thin is the size from which one entry in so many is enough to search on.
const (
	thin     = 16
	thinFrom = 4096
)

// thinned leaves of every large tensor one entry in sixteen, for the search
// among settings that are then tried on all.
func thinned(all []*tensorFit) []*tensorFit {
	out := make([]*tensorFit, len(all))
	for i, t := range all {
		out[i] = t
		if len(t.y) < thinFrom {
			continue
		}
		few := &tensorFit{role: t.role, group: t.group, sources: t.sources, dtype: t.dtype, y: every(t.y), x: make([][]float32, len(t.x))}
		for k, x := range t.x {
			if x != nil {
				few.x[k] = every(x)
			}
		}
		out[i] = few
	}
	return out
}

func every(x []float32) []float32 {
	out := make([]float32, 0, len(x)/thin+1)
	for i := 0; i < len(x); i += thin {
		out = append(out, x[i])
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
