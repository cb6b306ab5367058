package recipe

import (
	"math"
	"slices"
)

// mask is the rule by which entries of a task vector were kept.
type mask string

const (
	everything mask = "everything" // all entries
	largest    mask = "largest"    // those above a size (TIES)
	band       mask = "band"       // those between two sizes (breadcrumbs)
	rowwise    mask = "rowwise"    // those above a size of their row's own (fusion)
	chance     mask = "chance"     // any, at random (DARE)
	ranked     mask = "ranked"     // at random, larger ones of a row more often (DELLA)
)

// tally counts which entries of one donor's task vector were kept, by size.
type tally struct {
	in, out [grades]int // by the rank of the size in its tensor
	n       float64     // entries, and sums for a line of kept over the rank in the row
	r, rr   float64
	k, rk   float64
	sizeIn  []float64 // by tensor: Σ of the sizes that were kept, of all that tell, and how many
	sizeAll []float64
}

const grades = 1000

// An entry tells which task vectors are in where all sets of them lie several
// steps apart, whichever of them it is: so what tells does not depend on what was
// dropped. The step is that of the largest number that may have gone in.
const apart = 4.0

func (s *sparse) tells(i int, t *tensorFit, st *storage, j int, x *entry) bool {
	largest := math.Abs(float64(t.x[s.base][j]))
	var v [1 << mostDonors]float64
	sets := uint(1) << len(s.donors)
	for c := range sets {
		v[c] = s.value(i, x, c)
		largest = math.Max(largest, math.Abs(v[c]))
	}
	least := apart * st.step(float32(largest))
	for c := range sets {
		for d := range c {
			if math.Abs(v[c]-v[d]) < least {
				return false
			}
		}
	}
	return true
}

// tallies looks at all entries that tell. Where signs were elected, entries in
// which task vectors pull apart say nothing of what was dropped, and are left out.
func (f *fitting) tallies(s *sparse) []tally {
	out := f.tallied(s, s.tells)
	if slices.ContainsFunc(out, func(a tally) bool { return a.n < fewestTold }) {
		out = f.tallied(s, nil)
	}
	return out
}

// fewestTold is how many entries have to tell of every task vector.
const fewestTold = 200

// tallied does so with one question to an entry for all task vectors, or, where that
// is nil, for each: of many, the sets hardly ever lie apart all.
func (f *fitting) tallied(s *sparse, tells func(i int, t *tensorFit, st *storage, j int, x *entry) bool) []tally {
	out := make([]tally, len(s.donors))
	for k := range out {
		out[k].sizeIn, out[k].sizeAll = make([]float64, len(f.all)), make([]float64, len(f.all))
	}
	for i, t := range f.all {
		if t.vector {
			continue
		}
		st := storageOf(t.dtype)
		ranks, rows := make([][]float32, len(s.donors)), make([][]int32, len(s.donors))
		for n, k := range s.donors {
			ranks[n], rows[n] = t.sizes(s.base, k), t.rowRanks(s.base, k)
		}
		for j := range t.y {
			x := s.entry(t, &st, j)
			if tells != nil && !tells(i, t, &st, j, &x) {
				continue
			}
			set, z := s.nearestSet(i, &x)
			for n := range s.donors {
				if s.elected && s.opposed(i, &x, n) || tells == nil && (z > 1 || s.otherwise(i, &x, n, set) < apart) {
					continue
				}
				q := gradeOf(ranks[n], math.Abs(x.d[n]))
				out[n].add(i, q, float64(rows[n][j])/math.Max(1, float64(t.cols-1)), set>>n&1 == 1, math.Abs(x.d[n]))
			}
		}
	}
	return out
}

func (a *tally) add(i, grade int, rank float64, kept bool, size float64) {
	a.n++
	a.r += rank
	a.rr += float64(rank * rank)
	a.sizeAll[i] += size
	if !kept {
		a.out[grade]++
		return
	}
	a.in[grade]++
	a.k++
	a.rk += rank
	a.sizeIn[i] += size
}

// otherwise is how near a set comes, in steps, in which task vector n is in where it is
// not in this one, and the other way about.
func (s *sparse) otherwise(i int, x *entry, n int, set uint) float64 {
	z := math.Inf(1)
	for c := range uint(1) << len(s.donors) {
		if (c^set)>>n&1 == 1 {
			z = math.Min(z, math.Abs(x.e-s.value(i, x, c))/x.step)
		}
	}
	return z
}

// opposed tells whether another task vector pulls the other way.
func (s *sparse) opposed(i int, x *entry, n int) bool {
	for k := range s.donors {
		if k != n && s.scale[i][k]*x.d[k]*s.scale[i][n]*x.d[n] < 0 {
			return true
		}
	}
	return false
}

// vote looks at all entries that tell for whether signs were elected.
func (f *fitting) vote(s *sparse) bool {
	votes := &election{}
	for i, t := range f.all {
		if t.vector {
			continue
		}
		st := storageOf(t.dtype)
		for j := range t.y {
			x := s.entry(t, &st, j)
			if s.tells(i, t, &st, j, &x) {
				set, _ := s.nearestSet(i, &x)
				votes.count(s, i, &x, set)
			}
		}
	}
	return votes.held()
}

// election counts entries in which two task vectors are large enough to tell: by
// whether they pull the same way, how many there are and in how many both are in.
type election struct{ asked, both [2]int }

func (e *election) count(s *sparse, i int, x *entry, set uint) {
	for k := range s.donors {
		for l := range k {
			a, b := s.scale[i][k]*x.d[k], s.scale[i][l]*x.d[l]
			way := 0
			if a*b < 0 {
				way = 1
			}
			e.asked[way]++
			if set>>k&1 == 1 && set>>l&1 == 1 {
				e.both[way]++
			}
		}
	}
}

// held tells whether signs were elected: task vectors that pull apart are hardly
// ever both in. One in ten of what those that pull together show is left for sets
// that look alike.
func (e *election) held() bool {
	if e.asked[0] == 0 || e.asked[1] == 0 || e.both[0] == 0 {
		return false
	}
	together := float64(e.both[0]) / float64(e.asked[0])
	return float64(e.both[1])/float64(e.asked[1]) < 0.1*together
}

// edges are the ranks between which entries were kept, and the share of entries
// that say otherwise.
func (a *tally) edges() (low, high, wrong float64) {
	var in, out [grades + 1]int
	for g := range grades {
		in[g+1], out[g+1] = in[g]+a.in[g], out[g]+a.out[g]
	}
	total := in[grades] + out[grades]
	best := math.MaxInt
	for l := range grades {
		for h := grades; h > l && h > grades*3/4; h-- {
			w := in[l] + in[grades] - in[h] + out[h] - out[l]
			if w < best {
				best, low, high = w, float64(l)/grades, float64(h)/grades
			}
		}
	}
	return low, high, float64(best) / float64(max(1, total))
}

// slope is by how much the chance of being kept rises from the smallest entry of a
// row to the largest, its standard error, and the chance in the middle.
func (a *tally) slope() (rise, se, middle float64) {
	if a.n < 2 {
		return 0, math.Inf(1), 0
	}
	spread := a.rr - a.r*a.r/a.n
	if spread <= 0 {
		return 0, math.Inf(1), a.k / a.n
	}
	rise = (a.rk - a.r*a.k/a.n) / spread
	p := a.k / a.n
	return rise, math.Sqrt(p * (1 - p) / spread), p + rise*(0.5-a.r/a.n)
}

// sizes are those of a task vector's entries in one tensor, ascending.
func (t *tensorFit) sizes(base, k int) []float32 {
	if c := t.cut[[2]int{base, k}]; c != nil {
		return c
	}
	d := make([]float32, len(t.y))
	for j := range d {
		d[j] = float32(math.Abs(float64(t.x[k][j]) - float64(t.x[base][j])))
	}
	slices.Sort(d)
	if t.cut == nil {
		t.cut = map[[2]int][]float32{}
	}
	t.cut[[2]int{base, k}] = d
	return d
}

// gradeOf is the rank of a size among all of its tensor, in thousandths.
func gradeOf(sizes []float32, size float64) int {
	at, _ := slices.BinarySearch(sizes, float32(size))
	return min(grades-1, at*grades/max(1, len(sizes)))
}

// rowRanks is the rank of every entry's size within its row, from 0.
func (t *tensorFit) rowRanks(base, k int) []int32 {
	out, order := make([]int32, len(t.y)), make([]int32, t.cols)
	size := make([]float32, t.cols)
	for first := 0; first+t.cols <= len(t.y); first += t.cols {
		for c := range size {
			order[c], size[c] = int32(c), float32(math.Abs(float64(t.x[k][first+c])-float64(t.x[base][first+c])))
		}
		slices.SortStableFunc(order, func(a, b int32) int {
			switch {
			case size[a] < size[b]:
				return -1
			case size[a] > size[b]:
				return 1
			}
			return 0
		})
		for r, c := range order {
			out[first+int(c)] = int32(r)
		}
	}
	return out
}
