package recipe

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/linalg"
)

// polish fits scales and shared weights anew, by least squares in steps on the sets
// that the rule allows.
func (f *fitting) polish(s *sparse) {
	for range 2 {
		for i, t := range f.all {
			if !t.vector && t.has(s.all()) {
				s.polishScale(t.glance(), i, s.edgesOfAll(t, nil), false)
			}
		}
		if !s.scaled {
			s.even(f)
		}
		if s.shared {
			f.polishWeights(s)
		}
	}
}

// far is the distance in steps beyond which an entry is not explained, and does not
// count.
const far = 3

// polishScale fits the scales of one tensor, which what a set gives is linear in. fine
// counts in steps of the child's value, as where there was one rounding at the end:
// values that all but cancel tell most then.
func (s *sparse) polishScale(t *tensorFit, i int, edges [][2]float64, fine bool) {
	m, st := len(s.donors), storageOf(t.dtype)
	a, b := make([]float64, m*m), make([]float64, m)
	s.each(t, i, edges, nil, func(j int, x *entry, set uint, v float64) {
		step := x.step
		if fine {
			step = st.step(t.y[j])
		}
		z := (x.e - v) / step
		if math.Abs(z) > far {
			return
		}
		slope := s.slopes(i, x, set)
		for k := range m {
			b[k] += slope[k] / step * z
			for l := range m {
				a[k*m+l] += slope[k] / step * slope[l] / step
			}
		}
	})
	d := solved(a, b, m)
	for k := range d {
		s.scale[i][k] += d[k]
	}
}

// slopes are what a set's value rises with each scale.
func (s *sparse) slopes(i int, x *entry, set uint) (out [mostDonors]float64) {
	in, weight := s.in(i, x, set)
	for k := range s.donors {
		if in>>k&1 == 0 {
			continue
		}
		out[k] = x.d[k]
		if s.shared {
			out[k] *= s.weight[k] / weight
		}
	}
	return out
}

// in are the task vectors of a set that count after the election, and the sum of
// their weights.
func (s *sparse) in(i int, x *entry, set uint) (in uint, weight float64) {
	var term [mostDonors]float64
	side := 0.0
	for k := range s.donors {
		if set>>k&1 == 1 {
			term[k] = s.weight[k] * s.up(i, k) * x.d[k]
			side += term[k]
		}
	}
	for k := range s.donors {
		if !s.out(term[k], side) {
			in |= 1 << k
			weight += s.weight[k]
		}
	}
	return in, weight
}

// polishWeights fits the shares of the weights, by Gauss and Newton: of a set the
// value is their mean.
func (f *fitting) polishWeights(s *sparse) {
	m := len(s.donors)
	a, b := make([]float64, m*m), make([]float64, m)
	for i, t := range f.all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		s.each(t.glance(), i, s.edgesOfAll(t, nil), nil, func(_ int, x *entry, set uint, v float64) {
			z := (x.e - v) / x.step
			in, weight := s.in(i, x, set)
			if in&(in-1) == 0 || math.Abs(z) > far || math.Abs(weight) < 1e-9 {
				return
			}
			var slope [mostDonors]float64
			for k := range m {
				if in>>k&1 == 1 {
					slope[k] = (s.scale[i][k]*x.d[k] - v) / weight / x.step
				}
			}
			for k := range m {
				b[k] += slope[k] * z
				for l := range m {
					a[k*m+l] += slope[k] * slope[l]
				}
			}
		})
	}
	total := 0.0
	for k, d := range solved(a, b, m) {
		s.weight[k] += d
		total += s.weight[k]
	}
	for k := range s.weight {
		s.weight[k] /= total
	}
}

// solved solves normal equations; what they leave open is 0.
func solved(a, b []float64, m int) []float64 {
	size := 0.0
	for k := range m {
		size = math.Max(size, a[k*m+k])
	}
	if size == 0 {
		return make([]float64, m)
	}
	for k := range m {
		a[k*m+k] += 1e-9 * size
	}
	x, err := linalg.Solve(a, m, m, b)
	if err != nil {
		return make([]float64, m)
	}
	return x
}

// even gives all tensors one scale.
func (s *sparse) even(f *fitting) {
	total := 0.0
	for k := range s.donors {
		var all spread
		for i, t := range f.all {
			if !t.vector && t.has(s.all()) {
				all.add(s.scale[i][k], float64(len(t.y)))
			}
		}
		if total += all.mean(); !s.shared {
			s.weight[k] = all.mean()
		}
	}
	if s.lambda = 1; s.shared {
		s.lambda = total / float64(len(s.donors))
	}
	s.spreadScales()
}

// spreadScales gives all tensors the scale that follows from weights and lambda.
func (s *sparse) spreadScales() {
	for i := range s.scale {
		for k := range s.donors {
			s.scale[i][k] = s.lambda
			if !s.shared {
				s.scale[i][k] = s.weight[k]
			}
		}
	}
}

// snapWithin is how far a number may be from the round one that it stands for: fits
// of values that were rounded many times are off by less.
const snapWithin = 4e-3

// snap takes weights and lambda for round numbers, those that give most values of a
// few matrices.
func (f *fitting) snap(s *sparse) {
	best, least := *s, math.MaxInt
	for _, grid := range append(slices.Clone(grids), 0) {
		c := *s
		if c.weight = slices.Clone(s.weight); !snapped(c.weight, grid) {
			continue
		}
		for _, fine := range append(slices.Clone(grids), 0) {
			l := []float64{s.lambda}
			if !snapped(l, fine) || !s.shared && fine != 0 {
				continue
			}
			c.lambda = l[0]
			if left := f.leftOf(&c); fewer(left, least) {
				best, least = c, left
				best.weight = slices.Clone(c.weight)
			}
		}
	}
	*s = best
	s.spreadScales()
}

// fewer tells whether one count is below another by more than chance takes it: less
// round numbers may not win by less.
func fewer(n, than int) bool {
	return float64(n)+3*math.Sqrt(float64(n)+1) < float64(than)
}

// snapped rounds numbers to a grid, none where that is 0, and tells whether they
// are near it.
func snapped(x []float64, grid float64) bool {
	for k := range x {
		if grid == 0 {
			return true
		}
		n := math.Round(x[k]/grid) * grid
		if math.Abs(n-x[k]) > snapWithin {
			return false
		}
		x[k] = n
	}
	return true
}

// leftOf counts the values of a few matrices that a rule does not give in the
// arithmetic that gives most.
func (f *fitting) leftOf(s *sparse) int {
	least := math.MaxInt
	for _, r := range f.roundings() {
		off := 0
		for _, i := range f.sampled() {
			t := f.all[i]
			if few := t.glance(); t.has(s.all()) {
				a := f.accountOf(few, s.predictWithin(few, i, s.edgesOfAll(t, r), r))
				off += a.off
			}
		}
		least = min(least, off)
	}
	return least
}

// roundings lists the arithmetics that tools mix in: one rounding at the end, or one
// after every operation, to the child's type or to a narrower one of the parents.
func (f *fitting) roundings() []rounding {
	child, stored := f.all[0].dtype, f.all[0].stored[f.use[0]]
	out := []rounding{nil}
	if r := child.Rounding(); r != nil {
		out = append(out, r)
	}
	if r := stored.Rounding(); r != nil && child == tensor.F32 {
		out = append(out, r)
	}
	return out
}

// refined fits the scales of tensors for one rounding at the end.
func (f *fitting) refined(s *sparse) *sparse {
	c := *s
	c.scale = make([][]float64, len(s.scale))
	for i, t := range f.all {
		c.scale[i] = slices.Clone(s.scale[i])
		if t.vector || !t.has(s.all()) {
			continue
		}
		few, edges := t.glance(), s.edgesOfAll(t, nil)
		for range 3 {
			c.polishScale(few, i, edges, true)
		}
	}
	return &c
}

// stepwise gives a rule the arithmetic of a type of 16 bits: what was kept was
// scaled up by a number of the type, of those near the fitted one by that which
// gives most values.
func (f *fitting) stepwise(s *sparse, r rounding) *sparse {
	const around = 2
	c := *s
	c.scale = make([][]float64, len(s.scale))
	for i, t := range f.all {
		c.scale[i] = slices.Clone(s.scale[i])
		if t.vector || !t.has(s.all()) || !r.brain() {
			continue
		}
		few, edges := t.glance(), s.edgesOfAll(t, r)
		for range 2 {
			for k := range s.donors {
				c.nearUp(f, few, i, k, edges, r, around)
			}
		}
	}
	return &c
}

// brain tells whether a rounding is that to brain floats: of the types of 16 bits the
// one that tools sum up in, as they do not in the other.
func (r rounding) brain() bool { return r.of(1+1.0/512) == 1 }

func (s *sparse) nearUp(f *fitting, t *tensorFit, i, k int, edges [][2]float64, r rounding, around int) {
	unit := s.weight[k]
	if s.shared {
		unit = s.lambda
	}
	best, most := s.scale[i][k], -1
	for _, up := range neighbours(r, s.up(i, k), around) {
		s.scale[i][k] = up * unit
		if a := f.accountOf(t, s.predictWithin(t, i, edges, r)); a.exact-a.off > most {
			best, most = s.scale[i][k], a.exact-a.off
		}
	}
	s.scale[i][k] = best
}
