package recipe

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// sparse explains a child by a base and entries of task vectors: in every entry
// some of the task vectors are in, the others were dropped.
type sparse struct {
	base   int
	donors []int
	shared bool        // what is in is divided by the sum of its weights
	weight []float64   // shared: of each donor, summing to one
	scale  [][]float64 // by tensor: what a task vector that is in alone is multiplied with

	elected bool      // of task vectors with different signs only the stronger side is in
	rule    mask      // which entries are in
	density []float64 // of each donor
	epsilon float64
	gamma   []float64
	lambda  float64
	scaled  bool               // what was kept was scaled up for what was dropped
	left    float64            // squared distances, in steps, after the first fit
	shares  map[[2]int]float64 // of a task vector's size that was kept, by tensor and donor
}

// mostDonors bounds the sets of task vectors that every entry is tried with.
const mostDonors = 4

// entry holds what one value of the child has more than the base, and of each
// task vector.
type entry struct {
	e    float64
	d    [mostDonors]float64
	step float64
}

func (s *sparse) entry(t *tensorFit, st *storage, j int) (x entry) {
	b := float64(t.x[s.base][j])
	x.e = float64(t.y[j]) - b
	for i, k := range s.donors {
		x.d[i] = float64(t.x[k][j]) - b
	}
	x.step = st.step(float32(math.Max(math.Abs(float64(t.y[j])), math.Abs(x.e)))) // what moved the value was rounded too
	return x
}

// value is what a set of task vectors gives in tensor i.
func (s *sparse) value(i int, x *entry, set uint) float64 {
	sum, weight := 0.0, 0.0
	for k := range s.donors {
		if set>>k&1 == 0 {
			continue
		}
		if s.shared {
			sum += float64(s.weight[k] * s.scale[i][k] * x.d[k])
			weight += s.weight[k]
		} else {
			sum += float64(s.scale[i][k] * x.d[k])
		}
	}
	if s.shared && math.Abs(weight) > 1e-9 {
		return sum / weight
	}
	return sum
}

// nearestSet is the set that comes nearest to the child's value, and how near in
// steps.
func (s *sparse) nearestSet(i int, x *entry) (set uint, z float64) {
	z = math.Inf(1)
	for c := range uint(1) << len(s.donors) {
		if a := math.Abs(x.e-s.value(i, x, c)) / x.step; a < z {
			set, z = c, a
		}
	}
	return set, z
}

// sparseOf looks for a base and task vectors whose entries give the child: of those
// that come near, the ones whose rule takes least to write down. Nil where there
// are none.
func (f *fitting) sparseOf() *explanation {
	var best *explanation
	least := math.Inf(1)
	for _, s := range f.candidates() {
		if best != nil && least < settled {
			break
		}
		s.settleOn(f.all)
		if e, cost := f.ruled(s); e != nil && cost < least {
			best, least = e, cost
		}
	}
	return best
}

// mostCandidates bounds the bases and task vectors whose rules are repeated.
const mostCandidates = 4

// candidates lists bases and task vectors that leave little, the fewest task vectors
// first, and of as many by what they leave.
func (f *fitting) candidates() []*sparse {
	var out []*sparse
	few := f.thinned()
	met := met * float64(values(few))
	try := func(b int, donors []int) {
		if len(donors) == 0 || len(donors) > mostDonors || !f.everywhere(append(slices.Clone(donors), b)) {
			return
		}
		for _, shared := range []bool{false, true} {
			if shared && len(donors) == 1 {
				continue
			}
			s := &sparse{base: b, donors: donors, shared: shared}
			s.left = s.settle(few, f.all)
			out = append(out, s)
		}
	}
	for b := range f.n {
		try(b, slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == b }))
	}
	if best := leastLeft(out); best != nil && best.left > met { // one that correlates with the others may have been left out
		for k := range f.n {
			if k != best.base && !slices.Contains(best.donors, k) {
				try(best.base, append(slices.Clone(best.donors), k))
			}
		}
	}
	if best := leastLeft(out); best != nil {
		most := math.Max(farther*best.left, met)
		if f.all[0].dtype.Rounding() != nil { // in single precision, operations in a coarser type leave many steps
			most = math.Min(most, hopeless*met)
		}
		out = slices.DeleteFunc(out, func(s *sparse) bool { return s.left > most })
	}
	slices.SortStableFunc(out, func(a, b *sparse) int {
		return cmp.Or(cmp.Compare(len(a.donors), len(b.donors)), cmp.Compare(a.left, b.left))
	})
	return out[:min(len(out), mostCandidates)]
}

// farther is what a candidate may leave over the best one: sets of more task vectors
// come nearer by chance, each further one by half at most.
const farther = 4

// hopeless is what entries leave, over where the sets are met, from which no rule can
// explain them: a fiftieth of all as far away as counts leaves a third more than that.
const hopeless = 4

func leastLeft(all []*sparse) (best *sparse) {
	for _, s := range all {
		if best == nil || s.left < best.left {
			best = s
		}
	}
	return best
}

// met is what an entry leaves, in squared steps, where the sets are met: rounding
// leaves a twelfth, and a few roundings a quarter.
const met = 0.25

func values(all []*tensorFit) (n int) {
	for _, t := range matrices(all) {
		n += len(t.y)
	}
	return n
}

// everywhere tells whether the parents have all matrices of the child.
func (f *fitting) everywhere(use []int) bool { return len(f.known(use)) == len(f.known(nil)) }

// settle finds scales, and weights, by giving every entry to the set that explains
// it best and fitting anew, and returns what is left: squared distances in steps,
// a few at most of each entry, so that what is not explained does not pull.
func (s *sparse) settle(all, whole []*tensorFit) float64 {
	start := make([]float64, len(s.donors))
	for i := range s.donors {
		start[i] = s.mode(all, i)
	}
	s.scale, s.weight = make([][]float64, len(all)), filledWith(len(s.donors), 1/float64(len(s.donors)))
	for i := range all {
		s.scale[i] = slices.Clone(start)
	}
	if s.shared {
		s.share(s.between(whole))
	}
	left := math.Inf(1)
	for range 12 {
		now := s.step(all)
		if now > 0.999*left {
			break
		}
		left = now
	}
	return left
}

// settleOn fits the scales anew on all values, once they are known from some.
func (s *sparse) settleOn(all []*tensorFit) {
	for range 3 {
		s.step(all)
	}
}

func (s *sparse) all() []int { return append(slices.Clone(s.donors), s.base) }

// mostSteps caps what one entry counts, in steps.
const mostSteps = 4

// step gives every entry to its nearest set and fits scales and weights.
func (s *sparse) step(all []*tensorFit) (left float64) {
	m := len(s.donors)
	share := make([][2]float64, m*m) // of pairs: Σ xy and Σ x², for the weight of the first over that of both
	for i, t := range all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		var xy, xx [mostDonors]float64
		st := storageOf(t.dtype)
		for j := range t.y {
			x := s.entry(t, &st, j)
			set, z := s.nearestSet(i, &x)
			left += math.Min(z*z, mostSteps*mostSteps)
			if z > mostSteps {
				continue
			}
			switch {
			case bits.OnesCount(set) == 1:
				k := bits.TrailingZeros(set)
				xy[k] += float64(x.d[k] * x.e)
				xx[k] += float64(x.d[k] * x.d[k])
			case s.shared && bits.OnesCount(set) == 2:
				k, l := bits.TrailingZeros(set), bits.Len(set)-1
				a, b := s.scale[i][k]*x.d[k], s.scale[i][l]*x.d[l]
				share[k*m+l][0] += float64((x.e - b) * (a - b))
				share[k*m+l][1] += float64((a - b) * (a - b))
			case !s.shared:
				s.together(i, &x, set, &xy, &xx)
			}
		}
		for k := range m {
			if xx[k] > 0 {
				s.scale[i][k] = xy[k] / xx[k]
			}
		}
	}
	if s.shared {
		s.share(share)
	}
	return left
}

// together counts an entry of several task vectors for each of them, the others
// taken as they are.
func (s *sparse) together(i int, x *entry, set uint, xy, xx *[mostDonors]float64) {
	whole := s.value(i, x, set)
	for k := range s.donors {
		if set>>k&1 == 1 {
			own := x.e - (whole - s.scale[i][k]*x.d[k])
			xy[k] += float64(x.d[k] * own)
			xx[k] += float64(x.d[k] * x.d[k])
		}
	}
}

// share turns the shares of pairs into weights, by least squares on their
// logarithms: log wₖ − log wₗ for every pair.
func (s *sparse) share(pairs [][2]float64) {
	m := len(s.donors)
	logs, seen := make([]float64, m), make([]float64, m)
	for k := range m {
		for l := k + 1; l < m; l++ {
			p := pairs[k*m+l]
			if p[1] == 0 {
				continue
			}
			r := math.Max(0.01, math.Min(0.99, p[0]/p[1]))
			d := math.Log(r / (1 - r))
			logs[k], logs[l] = logs[k]+d, logs[l]-d
			seen[k], seen[l] = seen[k]+1, seen[l]+1
		}
	}
	total := 0.0
	for k := range m {
		if seen[k] > 0 {
			logs[k] /= seen[k] + 1
		}
		s.weight[k] = math.Exp(logs[k])
		total += s.weight[k]
	}
	for k := range m {
		s.weight[k] /= total
	}
}
