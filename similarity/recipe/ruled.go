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

// ruled finds the rule by which entries were chosen, and repeats it. It is nil
// where too few entries tell.
func (f *fitting) ruled(s *sparse) *explanation {
	const fewest = 200
	s.elected = len(s.donors) > 1 && f.vote(s)
	all := f.tallies(s)
	for _, a := range all {
		if a.n < fewest {
			return nil
		}
	}
	s.lambda = 1
	s.density, s.gamma = make([]float64, len(all)), make([]float64, len(all))
	low, wrong := make([]float64, len(all)), 0.0
	for k := range all {
		l, h, w := all[k].edges()
		low[k], s.density[k], s.gamma[k] = l, h-l, 1-h
		wrong = math.Max(wrong, w)
	}
	rise, chosen := 0.0, true
	for k := range all {
		r, se, middle := all[k].slope()
		rise += r / float64(len(all))
		chosen = chosen && r > math.Max(leastSlope, slopeErrors*se)
		if wrong > mostWrong {
			s.density[k] = middle
		}
	}
	switch {
	case wrong <= mostWrong && slices.Max(s.gamma) < 2.0/grades && slices.Max(low) < 0.02:
		s.rule = everything
	case wrong <= mostWrong && slices.Max(s.gamma) < 2.0/grades:
		s.rule = largest
	case wrong <= mostWrong:
		s.rule = band
	case len(all) == 1 && f.byRowSize(s):
		s.rule = rowwise
	case chosen:
		s.rule, s.epsilon = ranked, rise/2
	default:
		s.rule = chance
	}
	s.scaled = s.rule == chance || s.rule == ranked
	s.weigh(f, all)
	return f.repeat(s)
}

// weigh finds what each task vector was multiplied with before entries were
// dropped, and takes it for the round number that it stands for.
func (s *sparse) weigh(f *fitting, all []tally) {
	m := len(s.donors)
	mean := make([]float64, m)
	for k := range m {
		mean[k] = s.weightOf(f, all, k)
	}
	round := storageOf(f.all[0].dtype).round
	if s.shared {
		total := 0.0
		for k := range m {
			s.weight[k] = nearest(s.weight[k], 2e-3, round)
			total += mean[k] / float64(m)
		}
		s.lambda = nearest(total, 2e-3, round)
	} else {
		s.weight = make([]float64, m)
		for k := range m {
			s.weight[k] = nearest(mean[k], 2e-3, round)
		}
	}
	if s.scaled {
		return
	}
	for i := range s.scale { // one for all tensors
		for k := range m {
			if s.shared {
				s.scale[i][k] = s.lambda
			} else {
				s.scale[i][k] = s.weight[k]
			}
		}
	}
}

// weightOf is the mean scale of a task vector, times the share of it that was
// kept where that was scaled up: the share of each tensor's sizes, where this
// makes tensors agree, else the chance that is one for all.
func (s *sparse) weightOf(f *fitting, all []tally, k int) float64 {
	var plain, byTensor spread
	for i, t := range f.all {
		if t.vector {
			continue
		}
		kept := 1.0
		switch {
		case s.rule == ranked:
			kept = s.expected(t, k)
		case s.rule == chance && all[k].sizeAll[i] > 0:
			kept = all[k].sizeIn[i] / all[k].sizeAll[i]
		}
		plain.add(s.scale[i][k], float64(len(t.y)))
		byTensor.add(s.scale[i][k]*kept, float64(len(t.y)))
	}
	if s.rule == chance && plain.relative() < byTensor.relative() {
		return plain.mean() * nearest(s.density[k], 1.96*math.Sqrt(0.25/math.Max(1, all[k].n)), nil)
	}
	return byTensor.mean()
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

// expected is the share of a task vector's size in one tensor that is kept where
// larger entries of a row are kept more often.
func (s *sparse) expected(t *tensorFit, k int) float64 {
	ranks := t.rowRanks(s.base, s.donors[k])
	kept, total := 0.0, 0.0
	for j, x := range t.x[s.donors[k]] {
		d := math.Abs(float64(x) - float64(t.x[s.base][j]))
		total += d
		kept += d * (s.density[k] - s.epsilon + 2*s.epsilon*float64(ranks[j])/math.Max(1, float64(t.cols-1)))
	}
	return kept / math.Max(total, 1e-300)
}

// byRowSize tells whether a row's kept entries are its largest ones, with an edge
// of each row's own.
func (f *fitting) byRowSize(s *sparse) bool {
	if math.Abs(s.mean(f)-1) > 0.01 {
		return false
	}
	wrong, total := 0, 0
	for i, t := range f.all {
		if t.vector {
			continue
		}
		st := storageOf(t.dtype)
		for first := 0; first+t.cols <= len(t.y); first += t.cols {
			w, n := s.rowEdge(i, t, &st, first)
			wrong, total = wrong+w, total+n
		}
	}
	return total > 0 && float64(wrong) <= mostWrong*float64(total)
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
// best edge.
func (s *sparse) rowEdge(i int, t *tensorFit, st *storage, first int) (wrong, n int) {
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
	w := 0
	for _, a := range all { // edge below all: those that are out are wrong
		if !a.in {
			w++
		}
	}
	wrong = w
	for _, a := range all {
		if a.in {
			w++
		} else {
			w--
		}
		wrong = min(wrong, w)
	}
	return wrong, len(all)
}
