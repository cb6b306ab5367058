package tokenfree

import (
	"cmp"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// clearly is the share of units that must agree before a layer counts as the
// counterpart of another. Chance gives one unit or two.
const clearly = 0.05

// Counterparts pairs the layers of two stacks of any depth by signatures alone:
// (a, b) where layer a of A is the one most like layer b of B and the reverse,
// in order of b. Layers are alike by the number of units that find the same
// partner through the signatures of both groups of views. Layers without a
// clear counterpart are left out.
func Counterparts(a, b []mlp.Block, o *Options) (pairs [][2]int) {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	opt := o.orDefaults()
	dims := min(opt.Dims, a[0].Hidden, b[0].Hidden)
	free := turned(a, b)
	sa, sb := signAll(opt, directionsAll(a, free), dims, false), signAll(opt, directionsAll(b, free), dims, true)
	scores := make([]int, len(a)*len(b))
	dense.Parallel(len(scores), func(k int) { scores[k] = alike(sa[k%len(a)], sb[k/len(a)]) })
	for j := range b {
		i := highest(len(a), func(i int) int { return scores[j*len(a)+i] })
		back := highest(len(b), func(j int) int { return scores[j*len(a)+i] })
		units := min(sa[i].units, sb[j].units)
		if back == j && float64(scores[j*len(a)+i]) >= clearly*float64(units) {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

// highest is the first position of the largest of n values.
func highest[T cmp.Ordered](n int, value func(i int) T) int {
	best := 0
	for i := range n {
		if value(i) > value(best) {
			best = i
		}
	}
	return best
}

// signed are the signatures of a layer's units by each group of views.
type signed struct {
	units  int
	groups [2][]float32
	count  [2]int
}

func signAll(opt Options, all []*directions, dims int, sample bool) (out []signed) {
	span := leading(opt.Seed, all, dims)
	for i, d := range all {
		all[i] = d.onto(span, dims)
	}
	by := forms(all, false)
	for _, d := range all {
		if sample {
			d = opt.sampled(d)
		}
		s := signed{units: d.units}
		for g := range 2 {
			s.groups[g], s.count[g] = signatures(d.group(g), by)
		}
		out = append(out, s)
	}
	return out
}

// group keeps one group of views.
func (d *directions) group(g int) *directions {
	from, to, first := 0, d.first, d.first
	if g == 1 {
		from, to, first = d.first, len(d.rows), 0
	}
	return &directions{units: d.units, dim: d.dim, rows: d.rows[from:to], odd: d.odd[from:to], length: d.length[from:to], first: first}
}

// alike counts the units of B that find the same partner in A through both
// groups, mutually.
func alike(a, b signed) (count int) {
	var found [2][]int
	for g := range found {
		if a.count[g] != b.count[g] {
			return 0
		}
		ea, eb, ok := flattened(a.groups[g], b.groups[g], a.count[g])
		if !ok {
			return 0
		}
		found[g] = nearest(eb, ea, b.units, a.units, a.count[g], dense.SerialNT)
	}
	for j, i := range found[0] {
		if i >= 0 && found[1][j] == i {
			count++
		}
	}
	return count
}
