package recipe

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Tools that mix in a type of 16 bits round after every operation, so that no
// weights give the child's values with one rounding. These repeat the operations
// as PyTorch does them: in single precision, each result rounded to the type.

// emulated explains the child by rules that were computed in its own type; what
// free weights leave has to be beaten. Nil where none does.
func (f *fitting) emulated(left account) *explanation {
	round := f.all[0].dtype.Rounding()
	if round == nil || len(f.use) < 2 || f.all[0].dtype != tensor.BF16 && f.all[0].dtype != tensor.F16 {
		return nil
	}
	var best *explanation
	var least account
	for _, way := range []func(rounding) []*explanation{f.emulatedTasks, f.emulatedSums, f.emulatedStock, f.emulatedNuSLERP} {
		for _, e := range way(round) {
			a := f.hold(e, false)
			if a.explains() && (best == nil || a.off < least.off) {
				best, least = e, a
			}
		}
		if best != nil && least.share() > verbatim {
			break
		}
	}
	if best != nil || left.explains() {
		return best
	}
	return f.loosely()
}

// verbatim is the share of values from which no other arithmetic need be tried.
const verbatim = 0.995

// rounding computes in a type.
type rounding func(float32) float32

func (r rounding) of(x float64) float64 { return float64(r(float32(x))) }

// emulatedSums is Σ wᵢPᵢ with every product rounded.
func (f *fitting) emulatedSums(r rounding) []*explanation {
	w := f.snapped(f.pooled)
	e := f.linear(w)
	e.predict = func(i int) []float64 {
		t := f.all[i]
		if !t.has(f.use) {
			return nil
		}
		out := make([]float64, len(t.y))
		for n, k := range f.use {
			for j, x := range t.x[k] {
				term := r.of(w[k] * float64(x))
				if n > 0 && n < len(f.use)-1 {
					out[j] = r.of(out[j] + term)
				} else {
					out[j] += term
				}
			}
		}
		return out
	}
	return []*explanation{e}
}

// emulatedTasks is base + Σ wᵢ(Pᵢ − base).
func (f *fitting) emulatedTasks(r rounding) (out []*explanation) {
	w := f.snapped(f.pooled)
	for _, b := range f.use {
		e := f.linear(w)
		e.predict = func(i int) []float64 {
			t := f.all[i]
			if !t.has(f.use) {
				return nil
			}
			out := make([]float64, len(t.y))
			for j := range out {
				base, sum := float64(t.x[b][j]), 0.0
				for _, k := range f.use {
					if k != b {
						sum += r.of(r.of(w[k]) * r.of(float64(t.x[k][j])-base))
					}
				}
				out[j] = base + r.of(sum)
			}
			return out
		}
		if f.named(e); e.method == TaskArithmetic {
			e.base = b
		}
		out = append(out, e)
	}
	return out
}

// emulatedStock is t·mean + (1−t)·base, t a number of the type near what the
// formula gives.
func (f *fitting) emulatedStock(r rounding) (out []*explanation) {
	const around = 4 // steps of the type that t is looked for in
	for _, s := range f.formulas() {
		if s.method != ModelStock {
			continue
		}
		e := f.place(s, false)
		if e == nil {
			continue
		}
		ts := make([]float64, len(f.all))
		n := float64(len(s.others))
		mean := func(t *tensorFit, j int) float64 {
			sum := 0.0
			for _, k := range s.others {
				sum = r.of(sum + float64(t.x[k][j]))
			}
			return r.of(sum / n)
		}
		with := func(t *tensorFit, x float64) []float64 {
			p := make([]float64, len(t.y))
			for j := range p {
				p[j] = r.of(x*mean(t, j)) + r.of(r.of(1-x)*float64(t.x[s.from][j]))
			}
			return p
		}
		for i, w := range e.own {
			if w == nil {
				continue
			}
			best, few := -1, f.all[i].glance()
			for _, x := range neighbours(r, n*w[s.others[0]], around) {
				if a := f.accountOf(few, with(few, x)); a.exact > best {
					best, ts[i] = a.exact, x
				}
			}
			for _, k := range s.others {
				w[k] = ts[i] / n
			}
			w[s.from] = 1 - ts[i]
		}
		e.weights = meanOf(e.own, f.ps, f.n)
		e.predict = func(i int) []float64 {
			if e.own[i] == nil {
				return nil
			}
			return with(f.all[i], ts[i])
		}
		out = append(out, e)
	}
	return out
}

// neighbours lists numbers of the type around x, nearest first.
func neighbours(r rounding, x float64, n int) []float64 {
	x = r.of(x)
	out := []float64{x}
	up, down := x, x
	for range n {
		up, down = above(r, up), -above(r, -down)
		out = append(out, up, down)
	}
	return out
}

// above is the next larger number of the type.
func above(r rounding, x float64) float64 {
	step := math.Max(math.Abs(x), 1e-6) * 1e-4
	for d := step; ; d *= 1.1 {
		if y := r.of(x + d); y > x {
			return y
		}
	}
}

// emulatedNuSLERP repeats the arc between two parents, or between two task
// vectors, with the cosine between them a number of the type.
func (f *fitting) emulatedNuSLERP(r rounding) (out []*explanation) {
	for _, s := range append(f.arcs(), f.formulas()...) {
		if s.method != NuSLERP {
			continue
		}
		if e := f.place(s, false); e != nil {
			f.arcIn(r, s, e)
			out = append(out, e)
		}
	}
	return out
}

// arcIn gives an arc the arithmetic of a type: in every tensor that cosine, of the
// numbers near its own, which gives most values.
func (f *fitting) arcIn(r rounding, s seen, e *explanation) {
	const around = 12
	t := nearest(e.place, 2e-3, nil)
	if e.place = t; s.from < 0 {
		e.weights = make([]float64, f.n)
		e.weights[s.others[0]], e.weights[s.others[1]] = 1-t, t
	}
	chosen := make([]arcs, len(f.all))
	for i, own := range f.all {
		if e.own[i] == nil || !own.has(f.use) {
			e.own[i] = nil
			continue
		}
		best, few := -1, own.glance()
		for _, c := range neighbours(r, s.view(productsOf(own)).cos(0, 1), around) {
			if c > 1 || c < -1 {
				continue
			}
			x := arcsIn(r, c, t)
			if a := f.accountOf(few, s.arc(few, r, x)); a.exact > best {
				best, chosen[i] = a.exact, x
			}
		}
	}
	e.predict = func(i int) []float64 {
		if e.own[i] == nil {
			return nil
		}
		return s.arc(f.all[i], r, chosen[i])
	}
}

// arcs are the sines that an arc is made with.
type arcs struct{ a, b, size float64 }

func arcsIn(r rounding, c, t float64) arcs {
	theta := r.of(math.Acos(c))
	if theta <= 0 {
		return arcs{1 - t, t, 1}
	}
	return arcs{r.of(math.Sin(r.of((1 - t) * theta))), r.of(math.Sin(r.of(t * theta))), r.of(math.Sin(theta))}
}

// arc repeats the operations on a tensor.
func (s *seen) arc(t *tensorFit, r rounding, x arcs) []float64 {
	out := make([]float64, len(t.y))
	p, q := t.x[s.others[0]], t.x[s.others[1]]
	for j := range out {
		a, b, base := float64(p[j]), float64(q[j]), 0.0
		if s.from >= 0 {
			base = float64(t.x[s.from][j])
			a, b = r.of(a-base), r.of(b-base)
		}
		v := r.of(r.of(x.a*a)+r.of(x.b*b)) / x.size
		if s.from >= 0 {
			v = base + r.of(v)
		}
		out[j] = v
	}
	return out
}

// aDozen is the distance, in steps, that a dozen roundings leave: √(12/12).
const aDozen = 1.0

// loosely finds a formula without a free place whose weights meet the child within
// a dozen roundings, where it was computed in many steps of a coarse type.
func (f *fitting) loosely() *explanation {
	var best *explanation
	least := aDozen
	for _, s := range f.formulas() {
		if s.placed || s.method == ModelStock {
			continue
		}
		e := f.place(s, false)
		if e == nil {
			continue
		}
		if a := f.hold(e, false); a.distance() < least {
			best, least = e, a.distance()
			best.loose = true
		}
	}
	return best
}
