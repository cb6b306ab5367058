package recipe

import (
	"math"
	"slices"
)

// names of the sparse methods by rule, without and with an election of signs.
var names = map[mask][2]Method{
	everything: {TaskArithmetic, TIES},
	largest:    {TIES, TIES},
	band:       {Breadcrumbs, BreadcrumbsTies},
	rowwise:    {Fusion, Fusion},
	chance:     {DARE, DARETies},
	ranked:     {DELLALinear, DELLA},
}

// repeat makes an explanation of a rule, its numbers settled by what gives most
// values, in the arithmetic that does.
func (f *fitting) repeat(s *sparse) *explanation {
	if s.rule == largest || s.rule == band {
		f.sharpen(s)
	}
	elected := 0
	if s.elected {
		elected = 1
	}
	e := &explanation{method: names[s.rule][elected], base: s.base, sparse: s, place: math.NaN(), weights: s.weights(f.n)}
	if len(s.donors) == 1 && s.rule == chance {
		e.same = append(e.same, DARETies)
	}
	var best *explanation
	least := 0
	for _, r := range []rounding{nil, f.all[0].dtype.Rounding()} {
		c := *e
		c.leaves = nil
		c.predict = func(i int) []float64 { return s.predict(f.all[i], i, r) }
		if a := f.hold(&c, false); best == nil || a.off < least {
			best, least = &c, a.off
		}
	}
	return best
}

// weights of all parents: of the task vectors, and what they leave to the base.
func (s *sparse) weights(n int) []float64 {
	w := make([]float64, n)
	w[s.base] = 1
	for k, d := range s.donors {
		w[d] = s.weight[k]
		if s.shared {
			w[d] *= s.lambda
		}
		w[s.base] -= w[d]
	}
	return w
}

// predict repeats the rule on a tensor: of the sets of entries that it allows, the
// one that comes nearest to the child's value. r rounds after every operation,
// nil where there is one rounding at the end.
func (s *sparse) predict(t *tensorFit, i int, r rounding) []float64 {
	if !t.has(s.all()) {
		return nil
	}
	st := storageOf(t.dtype)
	out := make([]float64, len(t.y))
	edges := make([][2]float64, len(s.donors))
	for k := range s.donors {
		edges[k] = s.edgesOf(t, k)
	}
	for j := range t.y {
		x := s.entry(t, &st, j)
		fixed, open := s.allowed(&x, edges)
		best := math.Inf(1)
		for c := open; ; c = (c - 1) & open {
			v := s.mix(i, &x, fixed|c, r)
			if a := math.Abs(x.e - v); a < best {
				best, out[j] = a, float64(t.x[s.base][j])+v
			}
			if c == 0 {
				break
			}
		}
	}
	return out
}

// edgesOf are the sizes between which a donor's entries are in, in one tensor.
func (s *sparse) edgesOf(t *tensorFit, k int) [2]float64 {
	if s.rule != largest && s.rule != band {
		return [2]float64{0, math.Inf(1)}
	}
	sizes := t.sizes(s.base, s.donors[k])
	n := len(sizes)
	keep := min(n, max(1, int(s.density[k]*float64(n)+1e-9)))
	top := int(s.gamma[k]*float64(n) + 1e-9)
	low := max(0, n-keep-top)
	high := math.Inf(1)
	if top > 0 {
		high = float64(sizes[min(n-1, low+keep-1)])
	}
	return [2]float64{float64(sizes[low]), high}
}

// allowed are the task vectors that are in, and those that may be: at random, by
// edges of rows, or exactly at an edge.
func (s *sparse) allowed(x *entry, edges [][2]float64) (fixed, open uint) {
	for k, e := range edges {
		size := float64(float32(math.Abs(x.d[k])))
		switch {
		case s.rule == everything:
			fixed |= 1 << k
		case s.rule != largest && s.rule != band, size == e[0] || size == e[1]:
			open |= 1 << k
		case size > e[0] && size < e[1]:
			fixed |= 1 << k
		}
	}
	return fixed, open
}

// mix is what the task vectors of a set give after the election.
func (s *sparse) mix(i int, x *entry, set uint, r rounding) float64 {
	var term [mostDonors]float64
	side := 0.0
	for k := range s.donors {
		if set>>k&1 == 0 {
			continue
		}
		w, up := s.weight[k], 1.0 // the weight, and by how much what was kept was scaled up
		switch {
		case s.scaled && s.shared:
			up = s.scale[i][k] / s.lambda
		case s.scaled && w != 0:
			up = s.scale[i][k] / w
		}
		term[k] = w * up * x.d[k]
		if r != nil {
			term[k] = r.of(r.of(w) * r.of(r.of(up)*r.of(x.d[k])))
		}
		side += term[k]
	}
	sum, weight := 0.0, 0.0
	for k := range s.donors {
		if set>>k&1 == 0 || s.elected && (term[k] >= 0) != (side >= 0) || term[k] == 0 {
			continue
		}
		sum += term[k]
		weight += s.weight[k]
	}
	if s.shared {
		if math.Abs(weight) > 1e-9 {
			sum = of64(r, of64(r, sum)/of64(r, weight))
		}
		sum *= s.lambda
	}
	return of64(r, sum)
}

// sharpen settles densities and the share of the largest entries that was dropped
// by trying round numbers around what the tallies say, one donor at a time.
func (f *fitting) sharpen(s *sparse) {
	few := f.sampled()
	left := func() (off int) {
		for _, i := range few {
			a := f.account(i, s.predict(f.all[i], i, nil))
			off += a.off
		}
		return off
	}
	try := func(of []float64, k int, step float64, n int) {
		start := math.Round(of[k]/step) * step
		best, least := of[k], math.MaxInt
		for d := -n; d <= n; d++ {
			of[k] = math.Max(0, math.Min(1, start+float64(d)*step))
			if l := left(); l < least || l == least && math.Abs(float64(d)) < 1 {
				best, least = of[k], l
			}
		}
		of[k] = best
	}
	for range 2 {
		for k := range s.donors {
			if s.rule == band {
				try(s.gamma, k, 0.005, 2)
			}
			try(s.density, k, 0.01, 4)
		}
	}
	for k := range s.gamma {
		if s.rule == largest {
			s.gamma[k] = 0
		}
	}
}

// sampled lists a few matrices, spread over all, that settle the numbers of a rule.
func (f *fitting) sampled() []int {
	const few = 6
	var all []int
	for i, t := range f.all {
		if !t.vector {
			all = append(all, i)
		}
	}
	if len(all) <= few {
		return all
	}
	out := make([]int, 0, few)
	for k := range few {
		out = append(out, all[k*len(all)/few])
	}
	return slices.Compact(out)
}

// of64 rounds where there is a rounding.
func of64(r rounding, x float64) float64 {
	if r == nil {
		return x
	}
	return r.of(x)
}
