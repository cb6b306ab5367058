package recipe

import (
	"math"
	"slices"

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
	for _, e := range slices.Concat(f.emulatedTasks(round), f.emulatedSums(round), f.emulatedStock(round), f.emulatedNuSLERP(round)) {
		a := f.hold(e, false)
		if a.explains() && (best == nil || a.off < least.off) {
			best, least = e, a
		}
	}
	if best != nil || left.explains() {
		return best
	}
	return f.loosely()
}

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
		with := func(i int, x float64) []float64 {
			t := f.all[i]
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
			best := -1
			for _, x := range neighbours(r, n*w[s.others[0]], around) {
				if a := f.account(i, with(i, x)); a.exact > best {
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
			return with(i, ts[i])
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

// emulatedNuSLERP repeats the arc between two parents with the cosine between
// them a number of the type: one of the few near 1.
func (f *fitting) emulatedNuSLERP(r rounding) []*explanation {
	if len(f.use) != 2 {
		return nil
	}
	p, q := f.use[0], f.use[1]
	t := nearest(f.pooled.weights[q], 2e-3, nil)
	e := f.linear([]float64(nil))
	e.method, e.place, e.weights = NuSLERP, t, make([]float64, f.n)
	e.weights[p], e.weights[q] = 1-t, t
	cosines := []float64{1}
	for range 24 {
		cosines = append(cosines, -above(r, -cosines[len(cosines)-1]))
	}
	chosen := make([]float64, len(f.all))
	with := func(i int, c float64) []float64 {
		x, y := f.all[i].x[p], f.all[i].x[q]
		out := make([]float64, len(x))
		a, b, size := 1-t, t, 1.0
		if theta := r.of(math.Acos(c)); theta > 0 {
			a, b, size = r.of(math.Sin(r.of((1-t)*theta))), r.of(math.Sin(r.of(t*theta))), r.of(math.Sin(theta))
		}
		for j := range out {
			out[j] = r.of(r.of(a*float64(x[j]))+r.of(b*float64(y[j]))) / size
		}
		return out
	}
	for i, own := range f.all {
		e.own[i] = nil
		if !own.has(f.use) {
			continue
		}
		best := -1
		for _, c := range cosines {
			if a := f.account(i, with(i, c)); a.exact > best {
				best, chosen[i] = a.exact, c
			}
		}
		e.own[i] = e.weights
	}
	e.predict = func(i int) []float64 {
		if e.own[i] == nil {
			return nil
		}
		return with(i, chosen[i])
	}
	return []*explanation{e}
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
