package recipe

import (
	"math"
	"slices"
)

// Training leaves rows of embeddings alone whose tokens it did not meet, and
// sometimes whole matrices. The weights of a mixture that was trained further
// follow from these: where nothing was added, the mixture gives the child's values
// down to rounding, and rows that agree on weights by chance do not do so exactly.

const (
	mostRows   = 1 << 14 // rows that are looked at, spread over all
	untouched  = 1.6     // a row's squared remainder over that of rounding, below which nothing was added: it is 1 ± 0.1 in rows of 64 values
	fewestRows = 8
	annealing  = 0.75 // by how much the scale falls that tells rows apart, from step to step
)

// robust is a mixture that follows from rows that were left alone.
type robust struct {
	mixture
	rows int
}

// untouched looks for rows that one set of weights explains exactly: by least
// squares in which rows count the less the worse they fit, on a scale that falls
// to that of rounding. ok is false where there are too few of them.
func (f *fitting) untouched() (robust, bool) {
	var rows []*products
	for _, t := range f.all {
		if t.vector || !t.has(f.use) || t.dtype.Rounding() == nil {
			continue
		}
		every := max(1, f.rowCount()/mostRows)
		for l := 0; l < len(t.y)/t.cols; l += every {
			rows = append(rows, productsOf(t.row(l)))
		}
	}
	if len(rows) < fewestRows || len(f.use) < 2 {
		return robust{}, false
	}
	w := f.pooled.weights
	scale := middle(rows, w)
	for ; scale > untouched; scale *= annealing {
		w = weighted(rows, f.use, f.n, w, scale)
	}
	for range 4 {
		w = weighted(rows, f.use, f.n, w, untouched)
	}
	rows = slices.DeleteFunc(rows, func(p *products) bool { return p.leaves(w) > untouched*p.noise })
	if len(rows) < fewestRows {
		return robust{}, false
	}
	out := robust{pool(rows, f.use, false), len(rows)}
	return out, !slices.ContainsFunc(f.use, func(k int) bool { return out.ci[k] > 0.02 || out.ci[k] == 0 })
}

func (f *fitting) rowCount() (n int) {
	for _, t := range f.all {
		if !t.vector {
			n += len(t.y) / t.cols
		}
	}
	return n
}

func (t *tensorFit) row(l int) *tensorFit {
	c := &tensorFit{dtype: t.dtype, cols: t.cols, x: make([][]float32, len(t.x)), y: t.line(t.y, "rows", l)}
	for k, x := range t.x {
		if x != nil {
			c.x[k] = t.line(x, "rows", l)
		}
	}
	return c
}

// middle is the median of what is left of rows, in units of their rounding.
func middle(rows []*products, w []float64) float64 {
	all := make([]float64, len(rows))
	for i, p := range rows {
		all[i] = p.leaves(w) / math.Max(p.noise, 1e-300)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// weighted fits with weights of rows that fall with what is left of them.
func weighted(rows []*products, use []int, n int, w []float64, scale float64) []float64 {
	e := newNormal(use, false)
	for _, p := range rows {
		q := p.leaves(w) / math.Max(p.noise, 1e-300) / scale
		e.addScaled(p, 1/math.Max(p.noise, 1e-300)/(1+q*q))
	}
	return e.solve(n, w).weights
}
