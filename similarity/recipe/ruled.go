package recipe

import (
	"math"
	"slices"
)

// mostWrong is the share of telling entries that may say otherwise than a rule:
// types of 16 bits leave many entries of the same size at its edge. By decision.
const mostWrong = 0.03

// leastSlope is the rise of the chance of being kept from which it counts as one:
// twice the smallest epsilon in use, and five standard errors.
const leastSlope, slopeErrors = 0.04, 5

// ruled finds the rule by which entries were chosen, repeats it, and says what it
// takes to write down. It is nil where too few entries tell.
func (f *fitting) ruled(s *sparse) (*explanation, float64) {
	s.elected = len(s.donors) > 1 && f.vote(s)
	all := f.tallies(s)
	for _, a := range all {
		if a.n < fewestTold {
			return nil, 0
		}
	}
	var best *explanation
	least := math.Inf(1)
	for _, r := range f.rules(s, all) {
		if best != nil && least < settled {
			break
		}
		f.settleRule(r, all)
		if e := f.repeat(r); e != nil {
			if c := f.cost(e); c < least {
				best, least = e, c
			}
		}
	}
	return best, least
}

// rules lists the rules that what was kept may follow, the ones that leave nothing
// to chance first.
func (f *fitting) rules(s *sparse, all []tally) (out []*sparse) {
	as := func(rule mask) *sparse {
		c := *s
		c.rule, c.lambda, c.scaled = rule, 1, rule == chance || rule == ranked
		c.weight = slices.Clone(s.weight)
		c.scale = make([][]float64, len(s.scale))
		for i := range s.scale {
			c.scale[i] = slices.Clone(s.scale[i])
		}
		c.density, c.gamma = make([]float64, len(all)), make([]float64, len(all))
		return &c
	}
	low, wrong := make([]float64, len(all)), 0.0
	sized, random := as(largest), as(chance)
	rise, chosen := 0.0, true
	for k := range all {
		l, h, w := all[k].edges()
		low[k], sized.density[k], sized.gamma[k] = l, h-l, 1-h
		wrong = math.Max(wrong, w)
		r, se, middle := all[k].slope()
		rise += r / float64(len(all))
		chosen = chosen && r > math.Max(leastSlope, slopeErrors*se)
		random.density[k] = middle
	}
	few := slices.Max(sized.gamma) < 2.0/grades
	switch {
	case wrong <= mostWrong && few && slices.Max(low) < 0.02:
		sized.rule = everything
		out = append(out, sized)
	case wrong <= mostWrong && few:
		out = append(out, sized)
	case wrong <= mostWrong:
		sized.rule = band
		out = append(out, sized)
	}
	if len(all) == 1 {
		if r := as(rowwise); f.byRowSize(r) {
			out = append(out, r)
		}
	}
	if chosen {
		random.rule, random.epsilon = ranked, rise/2
	}
	return append(out, random)
}

// settled is the cost, in bits a value, below which a rule needs no rival: it leaves
// three values in a thousand.
const settled = 0.05

// outside is what a value costs, in bits, that a rule does not give: the value itself.
const outside = 16

// cost is what it takes to write the child down, given the parents and the rule, in
// bits a value: which entries were kept, where the rule leaves that to chance, and
// the values that it does not give (Rissanen 1978).
func (f *fitting) cost(e *explanation) float64 {
	s := e.sparse
	left := sum(e.leaves)
	bits := outside * left.offShare()
	switch s.rule {
	case chance, ranked:
		for _, p := range s.density {
			bits += entropy(p)
		}
	case rowwise:
		cols := 0.0
		for _, t := range matrices(f.all) {
			cols = math.Max(cols, float64(t.cols))
		}
		bits += math.Log2(cols) / cols
	}
	return bits
}

func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}

// settleRule settles the numbers of a rule: edges by what gives most values, scales
// by least squares on the sets that the rule allows, weights by what they come to.
func (f *fitting) settleRule(s *sparse, all []tally) {
	if s.rule == rowwise { // takes entries over as they are
		s.weight = []float64{1}
		s.spreadScales()
		s.density[0] = f.shareIn(s)
		return
	}
	f.weigh(s, all)
	for range 2 {
		if s.rule == largest || s.rule == band {
			f.sharpen(s)
		}
		f.polish(s)
		if s.scaled {
			f.weigh(s, all)
		}
	}
	if !s.scaled {
		f.snap(s)
	}
}

// shareIn is the share of the entries in which the parents differ that were taken over.
func (f *fitting) shareIn(s *sparse) float64 {
	in, total := 0, 0
	for i, t := range f.all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		s.each(t, i, s.edgesOfAll(t, nil), nil, func(_ int, x *entry, set uint, _ float64) {
			if x.d[0] != 0 {
				in, total = in+int(set), total+1
			}
		})
	}
	return float64(in) / float64(max(1, total))
}

// weigh finds what each task vector was multiplied with before entries were
// dropped, and takes it for the round number that it stands for.
func (f *fitting) weigh(s *sparse, all []tally) {
	m := len(s.donors)
	round := f.all[0].dtype.Rounding()
	mean, ci := make([]float64, m), make([]float64, m)
	for k := range m {
		mean[k], ci[k] = f.weightOf(s, all, k)
	}
	if s.shared {
		total := 0.0
		for k := range m {
			total += mean[k] / float64(m)
		}
		if s.lambda = total; s.scaled {
			s.lambda = nearest(total, slices.Max(ci), round)
		}
	} else {
		s.weight = make([]float64, m)
		for k := range m {
			if s.weight[k] = mean[k]; s.scaled {
				s.weight[k] = nearest(mean[k], ci[k], round)
			}
		}
	}
	if !s.scaled {
		s.spreadScales()
	}
}

// weightOf is the mean scale of a task vector, times the share of it that was
// kept where that was scaled up: the share of each tensor's sizes, where this
// makes tensors agree, else the chance that is one for all.
func (f *fitting) weightOf(s *sparse, all []tally, k int) (mean, ci float64) {
	var plain, byTensor spread
	for i, t := range f.all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		plain.add(s.scale[i][k], float64(len(t.y)))
		if s.scaled {
			byTensor.add(s.scale[i][k]*s.kept(f, i, k), float64(len(t.y)))
		}
	}
	if !s.scaled {
		return plain.mean(), 0
	}
	if s.rule == chance && plain.relative() < byTensor.relative() {
		p := nearest(s.density[k], 1.96*math.Sqrt(0.25/math.Max(1, all[k].n)), nil)
		return plain.mean() * p, 1e-3
	}
	return byTensor.mean(), byTensor.relative() * byTensor.mean() / math.Sqrt(float64(len(s.scale)))
}

// spread adds up numbers with weights.
type spread struct{ n, sum, squares float64 }

func (s *spread) add(x, n float64) {
	s.n += n
	s.sum += n * x
	s.squares += n * x * x
}

func (s *spread) mean() float64 { return s.sum / math.Max(1, s.n) }

// relative is the standard deviation over the mean.
func (s *spread) relative() float64 {
	m := s.mean()
	return math.Sqrt(math.Max(0, s.squares/math.Max(1, s.n)-m*m)) / math.Max(math.Abs(m), 1e-300)
}

// kept is the share of a task vector's size in tensor i that was kept: as seen where
// entries tell, else as the rule has it on average.
func (s *sparse) kept(f *fitting, i, k int) float64 {
	if c := s.shares[[2]int{i, k}]; c > 0 {
		return c
	}
	t, st := f.all[i], storageOf(f.all[i].dtype)
	ranks := t.rowRanks(s.base, s.donors[k])
	kept, total := 0.0, 0.0
	for j := range t.y {
		x := s.entry(t, &st, j)
		d := math.Abs(x.d[k])
		total += d
		if s.tells(i, t, &st, j, &x) && !(s.elected && s.opposed(i, &x, k)) {
			if set, _ := s.nearestSet(i, &x); set>>k&1 == 1 {
				kept += d
			}
			continue
		}
		kept += d * (s.density[k] - s.epsilon + 2*s.epsilon*float64(ranks[j])/math.Max(1, float64(t.cols-1)))
	}
	if s.shares == nil {
		s.shares = map[[2]int]float64{}
	}
	s.shares[[2]int{i, k}] = kept / math.Max(total, 1e-300)
	return s.shares[[2]int{i, k}]
}

// byRowSize tells whether a row's kept entries are its largest ones, with an edge
// of each row's own.
func (f *fitting) byRowSize(s *sparse) bool {
	if math.Abs(s.mean(f)-1) > 0.01 {
		return false
	}
	wrong, in, total := 0, 0, 0
	for i, t := range f.all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		st := storageOf(t.dtype)
		for first := 0; first+t.cols <= len(t.y); first += t.cols {
			w, k, n := s.rowEdge(i, t, &st, first)
			wrong, in, total = wrong+w, in+k, total+n
		}
	}
	return total > 0 && float64(wrong) <= mostWrong*float64(min(in, total-in))
}

func (s *sparse) mean(f *fitting) float64 {
	sum, n := 0.0, 0.0
	for i, t := range f.all {
		if !t.vector {
			sum, n = sum+s.scale[i][0]*float64(len(t.y)), n+float64(len(t.y))
		}
	}
	return sum / math.Max(1, n)
}

// rowEdge counts the telling entries of a row that lie on the wrong side of its
// best edge, those that are in, and all.
func (s *sparse) rowEdge(i int, t *tensorFit, st *storage, first int) (wrong, kept, n int) {
	type told struct {
		size float64
		in   bool
	}
	var all []told
	for j := first; j < first+t.cols; j++ {
		x := s.entry(t, st, j)
		if s.tells(i, t, st, j, &x) {
			set, _ := s.nearestSet(i, &x)
			all = append(all, told{math.Abs(x.d[0]), set == 1})
			kept += int(set & 1)
		}
	}
	slices.SortFunc(all, func(a, b told) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return 0
	})
	w := kept // edge above all: those that are in are wrong
	wrong = w
	for k := len(all) - 1; k >= 0; k-- {
		if all[k].in {
			w--
		} else {
			w++
		}
		wrong = min(wrong, w)
	}
	return wrong, kept, len(all)
}
