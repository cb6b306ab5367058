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

// repeat makes an explanation of a rule, in the arithmetic that gives most values.
func (f *fitting) repeat(s *sparse) *explanation {
	elected := 0
	if s.elected {
		elected = 1
	}
	e := &explanation{method: names[s.rule][elected], base: s.base, place: math.NaN()}
	if len(s.donors) == 1 && s.rule == chance {
		e.same = append(e.same, DARETies)
	}
	var best *explanation
	least := 0
	for _, r := range f.roundings() {
		c, s := *e, s
		switch {
		case s.scaled && r == nil:
			s = f.refined(s)
		case s.scaled:
			s = f.stepwise(s, r)
		}
		c.leaves, c.sparse, c.weights = nil, s, s.weights(f.n)
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
		switch {
		case s.shared:
			w[d] *= s.lambda
		case s.rule == rowwise: // shares of the entries
			w[d] = s.density[k]
		}
		w[s.base] -= w[d]
	}
	if math.Abs(w[s.base]) < 1e-12 {
		w[s.base] = 0
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
	return s.predictWithin(t, i, s.edgesOfAll(t, r), r)
}

// predictWithin is the same with edges that follow from more values.
func (s *sparse) predictWithin(t *tensorFit, i int, edges [][2]float64, r rounding) []float64 {
	out := make([]float64, len(t.y))
	s.each(t, i, edges, r, func(j int, _ *entry, _ uint, v float64) {
		out[j] = float64(t.x[s.base][j]) + v
	})
	return out
}

// each calls use with every entry, the allowed set that comes nearest to it, and
// what that gives.
func (s *sparse) each(t *tensorFit, i int, edges [][2]float64, r rounding, use func(j int, x *entry, set uint, v float64)) {
	st := storageOf(t.dtype)
	for j := range t.y {
		x := s.entry(t, &st, j)
		fixed, open := s.allowed(&x, edges, r)
		best, set, value := math.Inf(1), uint(0), 0.0
		for c := open; ; c = (c - 1) & open {
			v := s.mix(i, &x, fixed|c, r)
			if a := math.Abs(x.e - v); a < best {
				best, set, value = a, fixed|c, v
			}
			if c == 0 {
				break
			}
		}
		use(j, &x, set, value)
	}
}

func (s *sparse) edgesOfAll(t *tensorFit, r rounding) [][2]float64 {
	edges := make([][2]float64, len(s.donors))
	for k := range s.donors {
		edges[k] = s.edgesOf(t, k)
		for l, x := range edges[k] {
			edges[k][l] = of64(r, x) // sizes are compared after they were rounded
		}
	}
	return edges
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
func (s *sparse) allowed(x *entry, edges [][2]float64, r rounding) (fixed, open uint) {
	for k, e := range edges {
		size := of64(r, float64(float32(math.Abs(x.d[k]))))
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
		if r == nil {
			term[k] = s.weight[k] * s.up(i, k) * x.d[k]
		} else {
			term[k] = r.of(r.of(s.weight[k]) * r.of(s.up(i, k)*r.of(x.d[k])))
		}
		side += term[k]
	}
	sum, weight := 0.0, 0.0
	for k := range s.donors {
		if s.out(term[k], side) {
			continue
		}
		sum += term[k]
		weight += of64(r, s.weight[k])
	}
	if s.shared {
		if math.Abs(weight) > 1e-9 {
			sum = of64(r, of64(r, sum)/of64(r, weight))
		}
		sum *= s.lambda
	}
	return of64(r, sum)
}

// out tells whether a term is nothing, or was not elected.
func (s *sparse) out(term, side float64) bool {
	return term == 0 || s.elected && (term > 0) != (side >= 0)
}

// up is by how much what was kept of a task vector was scaled up.
func (s *sparse) up(i, k int) float64 {
	switch {
	case !s.scaled:
		return 1
	case s.shared:
		return s.scale[i][k] / s.lambda
	case s.weight[k] == 0:
		return 1
	}
	return s.scale[i][k] / s.weight[k]
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
