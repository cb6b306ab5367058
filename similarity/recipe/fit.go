package recipe

import (
	"math"
	"slices"
	"strings"
)

// fit explains the child by the parents: by rules that mix whole tensors, then by
// rules that choose entries, the plainest that leaves no more than rounding.
// Otherwise there are a linear part and a remainder.
func fit(all []*tensorFit, n int) *Recipe {
	f := newFitting(all, n)
	r := empty(n)
	for _, t := range all {
		if !t.vector {
			r.Values += len(t.y)
		}
	}
	if len(f.use) == 0 {
		r.Warnings = append(r.Warnings, "the child has next to nothing of the values of these parents: they are no parents, or their values stand elsewhere")
		return r
	}
	e := f.explain()
	if f.unsure(e) {
		r.Warnings = append(r.Warnings, "tensors disagree about the weights by more than these come to: parts of a stranger, a stranger that was arranged, and a child that was trained for long look the same")
		return r
	}
	r.fill(f, e)
	return r
}

// unsure tells whether no weight can be told from none, where nothing but the linear
// part is known.
func (f *fitting) unsure(e *explanation) bool {
	if e.method != Unknown || f.clean != nil {
		return false
	}
	spread := f.spread()
	return !slices.ContainsFunc(f.use, func(k int) bool { return math.Abs(e.weights[k]) > spread[k] })
}

// explain names what explains the child; Unknown with the linear part otherwise.
func (f *fitting) explain() *explanation {
	if e := f.whole(); e != nil {
		return e
	}
	if e := f.varied(f.use); e != nil {
		return e
	}
	if e := f.sparseOf(); e != nil {
		if a := f.hold(e, false); a.explains() {
			f.vectorScales(e.sparse)
			return e
		}
	}
	if e := f.variedWithOneMore(); e != nil {
		return e
	}
	own := make([][]float64, len(f.all))
	for i := range f.all {
		own[i] = f.pooled.weights
		if f.ps[i] != nil && len(f.free[i].weights) > 0 && len(f.use) > 1 { // one parent has the weight 1 that is stated: a free one shrinks with noise
			own[i] = f.free[i].weights
		}
	}
	e := f.mixed(Unknown, -1, own)
	e.weights = f.pooled.weights
	if m, ok := f.untouched(); ok {
		f.clean = &m
		e = f.linear(f.snapped(m.mixture))
		e.method = Unknown
	}
	f.hold(e, false)
	return e
}

// vectorScales finds what was scaled up in gains and biases, whose share that was
// kept is each one's own: the scales that leave the fewest values unexplained.
func (f *fitting) vectorScales(s *sparse) {
	const widest, step = 30, 0.01
	if s == nil || !s.scaled {
		return
	}
	for i, t := range f.all {
		if !t.vector || !t.has(s.all()) {
			continue
		}
		for range 2 {
			for k := range s.donors {
				mean := s.scale[i][k]
				best, least := mean, math.MaxInt
				for d := -widest; d <= widest; d++ {
					s.scale[i][k] = mean * (1 + step*float64(d))
					if a := f.account(i, s.predict(t, i, nil)); a.off < least {
						best, least = s.scale[i][k], a.off
					}
				}
				s.scale[i][k] = best
			}
		}
	}
}

func (r *Recipe) fill(f *fitting, e *explanation) {
	f.givesVectors(e)
	matrices, vectors := f.hold(e, false), f.hold(e, true)
	total := sum(e.leaves)
	r.Method, r.Base, r.Same, r.Rows = e.method, e.base, e.same, e.rows
	r.Weights, r.CI = e.weights, f.pooled.ci
	if e.method == Unknown {
		r.CI = f.spread()
	}
	if f.clean != nil {
		r.CI, r.Untouched = f.clean.ci, f.clean.rows
	}
	if e.sparse != nil {
		r.sparse(e.sparse)
	}
	if !math.IsNaN(e.place) && (e.method == SLERP || e.method == NuSLERP) {
		r.T = e.place
	}
	r.Residual = f.ofNearest(e)
	r.Rounding = matrices.distance() * math.Sqrt(12)
	if e.method != Unknown {
		r.Exact = total.share()
	}
	r.Layers, r.Tensors, r.Components = f.layers(), f.tensors(e), f.components(e)
	r.After = f.shown(e, f.after(r, e, matrices, vectors))
	r.Missing = r.After != MergeOnly && r.After != Rounded
}

func (r *Recipe) sparse(s *sparse) {
	r.Epsilon, r.Lambda = s.epsilon, s.lambda
	for k, d := range s.donors {
		r.Densities[d] = s.density[k]
		r.Density += s.density[k] / float64(len(s.donors))
		r.Gamma = math.Max(r.Gamma, s.gamma[k])
	}
}

// givesVectors gives gains and biases weights where the explanation has none yet:
// of the parent that is met where tensors are of one parent, else those of all
// tensors, or of their layer, or the same summing to one: what gives most of their
// values, as they hold too few to fit any.
func (f *fitting) givesVectors(e *explanation) {
	if e.sparse != nil {
		return
	}
	for i, t := range f.all {
		straight := e.method == Linear || e.method == TaskArithmetic
		if !t.vector || e.own[i] != nil && !straight {
			continue
		}
		if e.method == Copy || e.method == Passthrough {
			best := -1
			for _, k := range f.use {
				if t.x[k] == nil {
					continue
				}
				if a := f.account(i, f.mix(i, unit(f.n, k, 1))); a.values-a.off > best {
					best, e.own[i] = a.values-a.off, unit(f.n, k, 1)
				}
			}
			continue
		}
		if t.has(f.use) {
			e.own[i] = f.vectorWeights(e, i)
		}
	}
}

// vectorWeights chooses for one gain or bias.
func (f *fitting) vectorWeights(e *explanation, i int) []float64 {
	best, most := e.weights, math.MinInt
	beside := f.layerWeights(e, i)
	for _, w := range [][]float64{e.own[i], e.weights, whole(e.weights), beside, whole(beside)} {
		if w == nil {
			continue
		}
		if a := f.account(i, f.mix(i, w)); a.exact-a.off > most {
			best, most = w, a.exact-a.off
		}
	}
	return best
}

// layerWeights are those of the matrices beside a gain, nil where there are none.
func (f *fitting) layerWeights(e *explanation, i int) []float64 {
	own := make([][]float64, len(f.all))
	found := false
	for j, t := range f.all {
		if !t.vector && strings.HasPrefix(f.all[i].role, t.group+".") && e.own[j] != nil && f.ps[j] != nil {
			own[j], found = e.own[j], true
		}
	}
	if !found {
		return nil
	}
	return meanOf(own, f.ps, f.n)
}

// whole makes weights sum to one, nil where they cannot.
func whole(w []float64) []float64 {
	sum := 0.0
	for _, x := range w {
		sum += x
	}
	if math.Abs(sum) < 0.1 {
		return nil
	}
	out := slices.Clone(w)
	for k := range out {
		out[k] /= sum
	}
	return out
}

// spread is the half width of weights that a remainder blurs: what tensors disagree
// by, which the errors of a fit do not show.
func (f *fitting) spread() []float64 {
	out, total := make([]float64, f.n), 0.0
	for i, p := range f.ps {
		if p == nil || !p.has(f.use) {
			continue
		}
		for _, k := range f.use {
			d := f.free[i].weights[k] - f.pooled.weights[k]
			out[k] += p.count * d * d
		}
		total += p.count
	}
	for k := range out {
		out[k] = 1.96 * math.Sqrt(out[k]/math.Max(1, total))
	}
	return out
}

// layers lists the mixture of every layer, with weights that sum to one.
func (f *fitting) layers() (out []Layer) {
	names, by := groups(f.all)
	at := map[*tensorFit]int{}
	for i, t := range f.all {
		at[t] = i
	}
	for _, name := range names {
		var ps []*products
		use := f.use
		size := 0.0
		for _, t := range by[name] {
			if p := f.ps[at[t]]; p != nil {
				use = slices.DeleteFunc(slices.Clone(use), func(k int) bool { return !p.known[k] })
				ps = append(ps, p)
				size += p.q[len(p.q)-1]
			}
		}
		if len(ps) == 0 || len(use) == 0 {
			continue
		}
		m := pool(ps, use, false)
		out = append(out, Layer{Name: name, Sources: by[name][0].sources, Weights: m.weights, CI: m.ci, Residual: math.Sqrt(m.rss / math.Max(size, 1e-300))})
	}
	return out
}

func (f *fitting) tensors(e *explanation) (out []Tensor) {
	for i, t := range f.all {
		x := Tensor{Role: t.role, Component: t.component, T: -1, Exact: -1}
		if e.leaves != nil && e.method != Unknown {
			x.Exact = e.leaves[i].share()
		}
		if p := f.ps[i]; p != nil && len(f.free[i].weights) > 0 {
			x.Weights, x.CI = f.free[i].weights, f.free[i].ci
			if e.own != nil && e.own[i] != nil && e.method != Unknown {
				x.Weights = e.own[i]
			}
			for _, w := range x.Weights {
				x.Scale += w
			}
		}
		if e.t != nil && !math.IsNaN(e.t[i]) {
			x.T = e.t[i]
		}
		out = append(out, x)
	}
	return out
}

func (f *fitting) components(e *explanation) (out []Component) {
	var names []string
	by := map[string]*account{}
	for i, t := range f.all {
		if by[t.component] == nil {
			names = append(names, t.component)
			by[t.component] = &account{}
		}
		by[t.component].merge(e.leaves[i])
	}
	for _, name := range names {
		a := by[name]
		out = append(out, Component{Name: name, Values: a.asked, Exact: a.share(), Off: a.offShare()})
	}
	return out
}
