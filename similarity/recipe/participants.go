package recipe

import (
	"math"
	"slices"
)

// fitting holds a child while it is explained.
type fitting struct {
	all []*tensorFit
	ps  []*products // by tensor; nil for vectors
	n   int         // parents
	use []int       // those that take part

	free   []mixture // by tensor: weights of its own, of any sum; empty for vectors
	pooled mixture   // one for all matrices, with weights that sum to one
	clean  *robust   // the same from rows that were left alone, where the rest was trained
}

func newFitting(all []*tensorFit, n int) *fitting {
	f := &fitting{all: all, n: n, ps: make([]*products, len(all))}
	for i, t := range all {
		if !t.vector {
			f.ps[i] = productsOf(t)
		}
	}
	f.use = f.participants(f.present())
	if len(f.use) == 0 {
		return f
	}
	f.pooled = pool(f.known(f.use), f.use, false)
	f.free = make([]mixture, len(all))
	for i, p := range f.ps {
		if p == nil {
			continue
		}
		if use := f.within(p); len(use) > 0 {
			f.free[i] = alone(p, use, true, f.pooled.weights)
		}
	}
	return f
}

// within lists the participants that have a tensor.
func (f *fitting) within(p *products) []int {
	return slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return !p.known[k] })
}

// known lists the products of matrices that the given parents have.
func (f *fitting) known(use []int) (out []*products) {
	for _, p := range f.ps {
		if p != nil && p.has(use) {
			out = append(out, p)
		}
	}
	return out
}

// present lists the parents that have at least half of the matrices.
func (f *fitting) present() (out []int) {
	for k := range f.n {
		have, total := 0, 0
		for _, p := range f.ps {
			if p == nil {
				continue
			}
			if total++; p.known[k] {
				have++
			}
		}
		if have > 0 && 2*have >= total {
			out = append(out, k)
		}
	}
	return out
}

// leastShare is the share of the child's size that parents have to explain
// together, or else they are strangers to it, disguised, or of another build: among
// n values in a tensor chance gives a parent 1/n.
const leastShare = 0.1

// worth is by how much a parent has to lower what is left, beyond what rounding
// leaves anyway, to take part. By decision: a fiftieth, as correlated relatives
// lower it by less than that.
const worth = 0.02

// participants leaves out, one by one, the parents that the others do without,
// layer by layer: first the ones of least use. It returns none if the rest does
// not explain the child at all.
func (f *fitting) participants(use []int) []int {
	if len(use) == 0 {
		return nil
	}
	left := f.leftBy(use)
	for len(use) > 1 {
		at, best := -1, math.Inf(1)
		for i := range use {
			if l := f.leftBy(without(use, i)); l < best {
				at, best = i, l
			}
		}
		if best > (1+worth)*left+worth*f.noise() {
			break
		}
		use = without(use, at)
	}
	size := 0.0
	for _, p := range f.ps {
		if p != nil {
			size += p.q[len(p.q)-1]
		}
	}
	if f.leftBy(use) > (1-leastShare)*size {
		return nil
	}
	return use
}

func without(use []int, i int) []int { return slices.Delete(slices.Clone(use), i, i+1) }

// leftBy is what mixtures of the given parents leave, tensor by tensor.
func (f *fitting) leftBy(use []int) (rss float64) {
	for _, p := range f.ps {
		if p == nil {
			continue
		}
		have := slices.DeleteFunc(slices.Clone(use), func(k int) bool { return !p.known[k] })
		if len(have) == 0 {
			rss += p.q[len(p.q)-1]
			continue
		}
		rss += alone(p, have, true, nil).rss
	}
	return rss
}

func (f *fitting) noise() (sum float64) {
	for _, p := range f.ps {
		if p != nil {
			sum += p.noise
		}
	}
	return sum
}

// ofNearest is |child − mixture| / |child − parent| for the parent that is nearest
// by value, both over the same matrices: those that it has and that are predicted.
func (f *fitting) ofNearest(e *explanation) float64 {
	ratio, least := 0.0, math.Inf(1)
	for k := range f.n {
		left, far, n := 0.0, 0.0, 0
		for i, t := range f.all {
			if t.vector || t.x[k] == nil || e.leaves[i].values == 0 {
				continue
			}
			left, n = left+e.leaves[i].rss, n+len(t.y)
			for j, y := range t.y {
				d := float64(y) - float64(t.x[k][j])
				far += float64(d * d)
			}
		}
		if n > 0 && far/float64(n) < least {
			ratio, least = math.Sqrt(left/math.Max(far, 1e-300)), far/float64(n)
		}
	}
	return ratio
}
