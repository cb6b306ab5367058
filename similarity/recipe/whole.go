package recipe

import (
	"math"
	"slices"
)

// closeTo is by how much an account may exceed that of free weights, in squared
// distance, to explain as well, where values are not asked to be exact: chance among
// a hundred thousand roundings moves it by less than half of that. By theory.
const closeTo = 1.01

// asExact is the share of values by which an account may give fewer of them exactly
// than free weights do. Weights that are off by a ten-thousandth change more.
const asExact = 0.005

// asWell tells whether an account explains, and as well as another: by values that
// are given exactly, where that can be asked. Squared distances are no judge there:
// halves of sums of coarse numbers are ties, whose rounding follows the values.
func (a *account) asWell(other account) bool {
	if !a.explains() {
		return false
	}
	if a.share() >= 0 && other.share() >= 0 {
		return a.share() >= other.share()-asExact
	}
	return a.steps2 <= closeTo*other.steps2+1
}

// whole explains the child by rules that mix whole tensors, the plainest that
// does: one parent for each tensor, one set of weights for all, a formula, weights
// of each tensor's own. It is nil where none does.
func (f *fitting) whole() *explanation {
	if e := f.single(); e != nil {
		return e
	}
	own := make([][]float64, len(f.all))
	for i := range f.all {
		if f.ps[i] != nil {
			own[i] = f.free[i].weights
		}
	}
	free := f.mixed(Linear, -1, own)
	left := f.hold(free, false)
	if left.explains() {
		if e := f.constant(left, f.snapped(f.pooled), f.pooled.weights); e != nil {
			return e
		}
		if e := f.byFormula(left); e != nil {
			return e
		}
		if e := f.constant(left, f.snapped(pool(f.known(f.use), f.use, true))); e != nil {
			return e
		}
	}
	if e := f.emulated(left); e != nil {
		return e
	}
	if left.explains() {
		free.weights = f.pooled.weights
		return free
	}
	return f.byRows(left)
}

// single gives every tensor to the one parent that explains it alone, scaled
// where it was.
func (f *fitting) single() *explanation {
	own := make([][]float64, len(f.all))
	weights := make([]float64, f.n)
	matrices := 0
	for i, p := range f.ps {
		if p == nil {
			continue
		}
		best, at := math.Inf(1), -1
		for _, k := range f.within(p) {
			if s := p.scale(k, storageOf(f.all[i].dtype).round); p.leaves(unit(f.n, k, s)) < best {
				best, at = p.leaves(unit(f.n, k, s)), k
				own[i] = unit(f.n, k, s)
			}
		}
		if at >= 0 {
			weights[at]++
			matrices++
		}
		if best > 100*p.noise+1e-12 { // far from it: no need to look at values
			return nil
		}
	}
	for k := range weights {
		weights[k] /= float64(max(1, matrices))
	}
	e := f.mixed(Passthrough, -1, own)
	e.weights = weights
	if a := f.hold(e, false); !a.explains() {
		return nil
	}
	if f.unchanged(e) {
		e.method = Copy
	}
	return e
}

// unchanged tells whether all tensors are one parent's, in their places and
// unscaled.
func (f *fitting) unchanged(e *explanation) bool {
	k := slices.Index(e.weights, 1)
	if k < 0 {
		return false
	}
	for i, t := range f.all {
		if w := e.own[i]; w != nil && w[k] != 1 || !t.vector && t.sources[k] != t.layer() {
			return false
		}
	}
	return true
}

// scale is what parent k has to be multiplied with to come nearest to the child.
func (p *products) scale(k int, round func(float32) float32) float64 {
	x := p.parent(k)
	y := make([]float64, p.n+1)
	y[p.n] = 1
	size := p.fit(x, x)
	if size == 0 {
		return 1
	}
	s := p.fit(x, y) / size
	left := p.leaves(unit(p.n, k, s))
	return nearest(s, 1.96*math.Sqrt(left/math.Max(1, p.count)/size), round)
}

func unit(n, k int, x float64) []float64 {
	w := make([]float64, n)
	w[k] = x
	return w
}

// constant tries one set of weights for all tensors.
func (f *fitting) constant(left account, weights ...[]float64) *explanation {
	for _, w := range weights {
		e := f.linear(w)
		if a := f.hold(e, false); a.asWell(left) {
			return f.named(e)
		}
	}
	return nil
}

// linear is a mixture with the same weights in all tensors.
func (f *fitting) linear(w []float64) *explanation {
	own := make([][]float64, len(f.all))
	for i := range own {
		own[i] = w
	}
	e := f.mixed(Linear, -1, own)
	e.weights = w
	return e
}

// snapped takes weights for the round numbers that they stand for. Those that sum to
// nearly one are taken to sum to one: methods that round their own steps move a weight by
// some thousandths. The rest goes to the weight that it makes roundest.
func (f *fitting) snapped(m mixture) []float64 {
	const nearOne = 5e-3
	w := slices.Clone(m.weights)
	s := storageOf(f.all[0].dtype)
	sum := 0.0
	for _, k := range f.use {
		w[k] = nearest(w[k], m.ci[k], s.round)
		sum += w[k]
	}
	rest := 1 - sum
	if math.Abs(rest) > nearOne {
		return w
	}
	best, least := f.use[0], math.Inf(1)
	for _, k := range f.use {
		if d := offHundredths(w[k] + rest); d < least {
			best, least = k, d
		}
	}
	w[best] += rest
	return w
}

// offHundredths is how far a number is from a multiple of a hundredth.
func offHundredths(x float64) float64 { return math.Abs(x - math.Round(100*x)/100) }

// named tells linear mixtures from task arithmetic: a negative weight takes a task
// away. Where weights sum to one the two are the same sum, and both are said.
func (f *fitting) named(e *explanation) *explanation {
	b, ok := f.baseOf(f.use)
	least := slices.Index(e.weights, slices.Min(e.weights))
	switch two := len(f.use) == 2; {
	case !ok && !two || !sumToOne(e.weights):
	case e.weights[least] >= 0:
		e.same = append(e.same, TaskArithmetic)
	default:
		e.method, e.base, e.same = TaskArithmetic, b, append(e.same, Linear)
		if two {
			e.base = least
		}
	}
	return e
}

// sumToOne tells whether weights do, up to the last digits.
func sumToOne(weights []float64) bool {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	return math.Abs(sum-1) < 1e-6
}

// baseOf finds the parent that the others were made from: the one whose task
// vectors to the others come nearest to right angles. From a sibling the others
// stand at half of that.
func (f *fitting) baseOf(use []int) (int, bool) {
	const rightAngled = 0.45
	if len(use) < 3 {
		return -1, false
	}
	best, least := -1, rightAngled
	for _, b := range use {
		if c := f.meanCosine(b, use); c < least {
			best, least = b, c
		}
	}
	return best, best >= 0
}

// meanCosine is the mean size of the cosines between the task vectors that start
// at b.
func (f *fitting) meanCosine(b int, use []int) float64 {
	sum, n := 0.0, 0
	for i, p := range use {
		for _, q := range use[i+1:] {
			if p == b || q == b {
				continue
			}
			var pq, pp, qq float64
			for _, m := range f.known([]int{b, p, q}) {
				x, y := m.difference(p, b), m.difference(q, b)
				pq, pp, qq = pq+m.at(x, y), pp+m.at(x, x), qq+m.at(y, y)
			}
			sum += math.Abs(pq) / math.Sqrt(math.Max(pp*qq, 1e-300))
			n++
		}
	}
	return sum / float64(max(1, n))
}

// layer is the place of a tensor's layer in the child, -1 outside layers.
func (t *tensorFit) layer() int {
	n := -1
	for _, c := range t.group[min(len(t.group), len("layers.")):] {
		if t.group[:min(len(t.group), 7)] != "layers." || c < '0' || c > '9' {
			return -1
		}
		n = max(n, 0)*10 + int(c-'0')
	}
	return n
}
