package recipe

import (
	"math"
	"slices"
)

// byFormula tries the formulas of one place for all tensors, then of a place of
// each tensor's own.
func (f *fitting) byFormula(left account) *explanation {
	for _, each := range []bool{false, true} {
		for _, m := range f.formulas() {
			if each && !m.placed {
				continue
			}
			e := f.place(m, each)
			if e == nil {
				continue
			}
			if a := f.hold(e, false); a.asWell(left) {
				return f.straight(e, left)
			}
		}
	}
	return nil
}

// seen is a formula with the parents that it is about.
type seen struct {
	formula
	from   int // base, -1 if none
	others []int
	given  []float64 // weights of all tensors, of the formula that has them
}

// formulas lists the formulas that fit the number of participants, with every
// one of these as the base where one is needed.
func (f *fitting) formulas() (out []seen) {
	for _, m := range formulas {
		for _, b := range append([]int{-1}, f.use...) {
			if m.base != (b >= 0) {
				continue
			}
			others := slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == b })
			if len(others) >= 2 && (m.most == 0 || len(others) == m.most) {
				out = append(out, seen{m, b, others, nil})
			}
		}
	}
	for _, b := range append([]int{-1}, f.use...) {
		others := slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == b })
		for _, w := range f.onSphere(b, others) {
			out = append(out, seen{formula{MultiSLERP, b >= 0, 0, false, multislerp(w)}, b, others, w})
		}
	}
	return out
}

// onSphere lists weights that a mixture on the sphere may have been made with: round
// numbers near those that unit vectors have in the fits of single tensors, which sum to one
// but for what the curvature adds.
func (f *fitting) onSphere(base int, others []int) (out [][]float64) {
	if len(others) < 2 {
		return nil
	}
	share := f.unitShares(base, others)
	for _, step := range []float64{20, 100, 200} {
		var w []float64
		sum := 0.0
		for _, x := range share {
			w = append(w, math.Round(x*step)/step)
			sum += w[len(w)-1]
		}
		if math.Abs(sum-1) < 1e-9 {
			out = append(out, w)
		}
	}
	return out
}

// unitShares are the mean weights of unit vectors in the tensors, of all that sum to one.
func (f *fitting) unitShares(base int, others []int) []float64 {
	out, total := make([]float64, len(others)), 0.0
	for i, p := range f.ps {
		if p == nil || !p.has(others) || base >= 0 && !p.known[base] || len(f.free[i].weights) == 0 {
			continue
		}
		w, sum := make([]float64, len(others)), 0.0
		for j, k := range others {
			x := p.parent(k)
			if base >= 0 {
				x = p.difference(k, base)
			}
			w[j] = f.free[i].weights[k] * math.Sqrt(math.Max(0, p.at(x, x)))
			sum += w[j]
		}
		for j := range w {
			out[j] += p.count * w[j] / sum
		}
		total += p.count
	}
	for j := range out {
		out[j] /= math.Max(1, total)
	}
	return out
}

// view is a tensor's parents as the formula sees them.
func (s *seen) view(p *products) *view {
	v := &view{}
	var at [][]float64
	for _, k := range s.others {
		if s.from >= 0 {
			at = append(at, p.difference(k, s.from))
		} else {
			at = append(at, p.parent(k))
		}
	}
	for i := range at {
		v.g = append(v.g, make([]float64, len(at)))
		for j := range at {
			v.g[i][j] = p.at(at[i], at[j])
		}
	}
	return v
}

// weigh gives the weights of all parents, the base's among them.
func (s *seen) weigh(v *view, n int, t float64) ([]float64, bool) {
	w, ok := s.formula.weigh(v, t)
	if !ok {
		return nil, false
	}
	out := make([]float64, n)
	if s.from >= 0 {
		out[s.from] = 1
	}
	for i, k := range s.others {
		out[k] += w[i]
		if s.from >= 0 {
			out[s.from] -= w[i]
		}
	}
	return out, true
}

// place fits a formula to the matrices. It is nil where it says nothing.
func (f *fitting) place(s seen, each bool) *explanation {
	use := slices.Clone(s.others)
	if s.from >= 0 {
		use = append(use, s.from)
	}
	var all []placed
	at := make([]int, 0, len(f.all))
	for i, p := range f.ps {
		if p != nil && p.has(use) {
			all, at = append(all, placed{p, s.view(p)}), append(at, i)
		}
	}
	if len(all) == 0 || len(all) < len(f.known(nil)) {
		return nil
	}
	one := s.best(f.n, all)
	own, t := make([][]float64, len(f.all)), make([]float64, len(f.all))
	for i := range t {
		t[i] = math.NaN()
	}
	for k, i := range at {
		x := one
		if each {
			x = s.best(f.n, all[k:k+1])
		}
		w, ok := s.weigh(all[k].view, f.n, x)
		if !ok {
			return nil
		}
		own[i], t[i] = w, x
	}
	e := f.mixed(s.method, s.from, own)
	e.t = t
	if !each {
		e.place = one
	}
	e.weights = meanOf(own, f.ps, f.n)
	if s.method == SLERP && !each {
		e.weights = make([]float64, f.n)
		e.weights[s.others[0]], e.weights[s.others[1]] = 1-one, one
	}
	if s.method == Karcher {
		e.weights = make([]float64, f.n)
		for _, k := range s.others {
			e.weights[k] = 1 / float64(len(s.others))
		}
	}
	if s.method == MultiSLERP {
		e.weights = make([]float64, f.n)
		for k, w := range s.given {
			e.weights[s.others[k]] = w
		}
	}
	f.vectorsOf(e, s)
	return e
}

type placed struct {
	p    *products
	view *view
}

// best is the place that leaves least, the round number that it stands for; 0
// for formulas without one.
func (s *seen) best(n int, all []placed) float64 {
	if !s.placed {
		return 0
	}
	left := func(t float64) (rss float64) {
		for _, x := range all {
			if w, ok := s.weigh(x.view, n, t); ok {
				rss += x.p.leaves(w)
			}
		}
		return rss
	}
	lo, hi := -0.25, 1.25
	for range 48 {
		a, b := lo+(hi-lo)*0.382, lo+(hi-lo)*0.618
		if left(a) < left(b) {
			hi = b
		} else {
			lo = a
		}
	}
	t := (lo + hi) / 2
	count := 0.0
	for _, x := range all {
		count += x.p.count
	}
	// the roundest number whose fit is no worse than chance makes it: within one
	// standard error of one tensor's place, and nobody mixes with 0.2998.
	worst := left(t) * (1 + 1/math.Max(1, count))
	for _, step := range grids {
		if n := math.Round(t/step) * step; left(n) <= worst || math.Abs(n-t) < nearGrid && step > 0.005 {
			return n
		}
	}
	return t
}

// meanOf is the mean of tensors' weights, by their number of values.
func meanOf(own [][]float64, ps []*products, n int) []float64 {
	out, total := make([]float64, n), 0.0
	for i, w := range own {
		if w == nil || ps[i] == nil {
			continue
		}
		for k, x := range w {
			out[k] += x * ps[i].count
		}
		total += ps[i].count
	}
	for k := range out {
		out[k] /= math.Max(1, total)
	}
	return out
}

// vectorsOf gives gains and biases their weights. Where the place is one for all
// it is theirs too; otherwise that of 201 places which gives most of their values
// exactly.
func (f *fitting) vectorsOf(e *explanation, s seen) {
	for i, t := range f.all {
		if !t.vector || !t.has(s.others) || s.from >= 0 && t.x[s.from] == nil {
			continue
		}
		v := s.view(productsOf(t))
		if !s.placed || !math.IsNaN(e.place) {
			if w, ok := s.weigh(v, f.n, math.Max(0, zeroIfNaN(e.place))); ok {
				e.own[i] = w
			}
			continue
		}
		best := -1
		for step := range 201 {
			x := float64(step) / 200
			w, ok := s.weigh(v, f.n, x)
			if !ok {
				continue
			}
			if a := f.account(i, f.mix(i, w)); a.exact-a.off > best {
				best, e.own[i], e.t[i] = a.exact-a.off, w, x
			}
		}
	}
}

func zeroIfNaN(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// straight says which plainer method gives the same values here: an arc so short
// that it is straight.
func (f *fitting) straight(e *explanation, left account) *explanation {
	if e.method != SLERP {
		return e
	}
	own := make([][]float64, len(f.all))
	for i, w := range e.own {
		if w == nil {
			continue
		}
		own[i] = make([]float64, f.n)
		own[i][f.use[0]], own[i][f.use[1]] = 1-zeroIfNaN(e.t[i]), zeroIfNaN(e.t[i])
	}
	e.same = append(e.same, NuSLERP) // of whole tensors without a base
	if a := f.hold(f.mixed(Linear, -1, own), false); a.asWell(left) {
		e.same = append(e.same, Linear)
	}
	return e
}
