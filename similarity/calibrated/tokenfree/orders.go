package tokenfree

import (
	"math"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// A matrix may carry the name of another of its layer: whoever writes the program that
// runs a network is free to choose, for each layer anew. What names cannot change is
// what the matrices of a unit are to one another, and to all matrices of all layers
// taken together.

// unnamedUnits is how many units of B are told by what rests on no name.
const unnamedUnits = 128

// Orders finds in which roles the matrices of each layer of b stand: for each layer the
// order of its views under which its units are most like those of a layer of a: the one
// at its place, or where there are few any. View k of a layer so ordered is view
// order[k] as it is named.
func Orders(a, b []mlp.Block, o *Options) [][]int {
	if len(a) == 0 || len(b) == 0 || len(a[0].Views()) != len(b[0].Views()) {
		return nil
	}
	opt := o.orDefaults()
	opt.Units = unnamedUnits
	dims := min(opt.Dims, a[0].Hidden, b[0].Hidden)
	sa, sb := unnamedAll(opt, a, dims, false), unnamedAll(opt, b, dims, true)
	arrangements := Arrangements(len(b[0].Views()))
	scores := make([]float64, len(a)*len(b)*len(arrangements))
	dense.Parallel(len(a)*len(b), func(k int) {
		i, j := k%len(a), k/len(a)
		if i != j && len(a)*len(b) > opt.Pairs {
			return
		}
		for n, order := range arrangements {
			scores[k*len(arrangements)+n] = sa[i].like(sb[j], order)
		}
	})
	out := make([][]int, len(b))
	per := len(a) * len(arrangements)
	for j := range out {
		at := scores[j*per : (j+1)*per]
		out[j] = arrangements[highest(per, func(k int) float64 { return at[k] })%len(arrangements)]
	}
	return out
}

// unnamed are quantities of a layer's units that rest on no name: of single views and of
// two of them, so that they can be put into the order of other roles.
type unnamed struct {
	units        int
	views, pairs [][][]float64 // of each view, or pair (w, v < w) in turn: by quantity, by unit

	rows  []float32   // flattened, as the views stand
	lower []float64   // what flattens them
	mean  [][]float64 // and brings them to mean 0 and deviation 1: two numbers a column
}

func unnamedAll(opt Options, blocks []mlp.Block, dims int, sample bool) (out []*unnamed) {
	var all []*directions
	for i := range blocks {
		all = append(all, bare(&blocks[i]))
	}
	span := leading(opt.Seed, all, dims)
	whole := make([]float32, dims*dims)
	own := make([][]float32, len(all))
	for i := range all {
		all[i] = all[i].onto(span, dims)
		own[i] = all[i].gram()
		for k, x := range own[i] {
			whole[k] += x
		}
	}
	unitTrace(whole, dims)
	for i, d := range all {
		if sample {
			d = opt.sampled(d)
		}
		out = append(out, d.unnamed([][]float32{whole, own[i]}, !sample))
	}
	return out
}

// bare are rows at unit length, none of them centred, all of free sign.
func bare(b *mlp.Block) *directions {
	d := &directions{units: b.Units, dim: b.Hidden, first: len(b.First)}
	for _, v := range b.Views() {
		rows := append([]float32(nil), v.Rows...)
		d.length = append(d.length, normalise(rows, b.Units, b.Hidden))
		d.rows, d.odd = append(d.rows, rows), append(d.odd, true)
	}
	return d
}

// gram is the mean of the Gram matrices of all views.
func (d *directions) gram() []float32 {
	out := make([]float32, d.dim*d.dim)
	for _, rows := range d.rows {
		g := basis.ColumnGram(rows, d.units, d.dim)
		unitTrace(g, d.dim)
		for k, x := range g {
			out[k] += x
		}
	}
	unitTrace(out, d.dim)
	return out
}

func (d *directions) unnamed(forms [][]float32, flatten bool) *unnamed {
	s := &unnamed{units: d.units, views: make([][][]float64, len(d.rows)), pairs: make([][][]float64, pairOf(len(d.rows), 0))}
	column := func(f func(u int) float64) []float64 {
		c := make([]float64, d.units)
		for u := range c {
			c[u] = f(u)
		}
		return c
	}
	product := func(x, y []float32) []float64 {
		return column(func(u int) float64 { return math.Abs(d.dot(x, y, u)) })
	}
	through := [][][]float32{}
	for _, m := range forms {
		images := make([][]float32, len(d.rows))
		for v, rows := range d.rows {
			images[v] = make([]float32, len(rows))
			dense.MulNT(images[v], rows, m, d.units, d.dim, d.dim) // m is symmetric
		}
		through = append(through, images)
	}
	for w, y := range d.rows {
		for _, t := range through {
			s.views[w] = append(s.views[w],
				column(func(u int) float64 { return logarithm(d.dot(y, t[w], u)) }),
				column(func(u int) float64 { return logarithm(d.dot(t[w], t[w], u)) }))
		}
		for v, x := range d.rows[:w] {
			p := &s.pairs[pairOf(w, v)]
			*p = append(*p, product(x, y))
			for _, t := range through {
				*p = append(*p, product(x, t[w]), product(t[v], t[w]))
			}
		}
	}
	if flatten {
		s.flatten()
	}
	return s
}

// pairOf is the place of a pair of views, v < w.
func pairOf(w, v int) int { return w*(w-1)/2 + v }

// columns are all quantities with the views in some order.
func (s *unnamed) columns(order []int) (out [][]float64) {
	for w, from := range order {
		out = append(out, s.views[from]...)
		for v := range w {
			out = append(out, s.pairs[pairOf(max(from, order[v]), min(from, order[v]))]...)
		}
	}
	return out
}

// flatten brings the units to coordinates in which the covariance of the quantities is
// even, and their rows to unit length.
func (s *unnamed) flatten() {
	columns := s.columns(Arrangements(len(s.views))[0])
	for _, c := range columns {
		s.mean = append(s.mean, spread(c))
	}
	rows, count := s.table(columns, s.mean), len(columns)
	lower, ok := covariance(rows, count)
	if !ok {
		return
	}
	s.lower, s.rows = lower, forwardRows(lower, rows, count)
}

// table is units × columns, in deviations from the means given.
func (s *unnamed) table(columns, mean [][]float64) []float32 {
	out := make([]float32, 0, s.units*len(columns))
	for u := range s.units {
		for k, c := range columns {
			out = append(out, float32(max(-6, min(6, (c[u]-mean[k][0])/mean[k][1]))))
		}
	}
	return out
}

// like is how alike the units of b, with their views in some order, are to those of s
// that are most like them, in the mean.
func (s *unnamed) like(b *unnamed, order []int) float64 {
	if s.lower == nil {
		return 0
	}
	columns := b.columns(order)
	n := len(columns)
	rows := forwardRows(s.lower, b.table(columns, s.mean), n)
	c := make([]float32, b.units*s.units)
	dense.SerialNT(c, rows, s.rows, b.units, s.units, n)
	sum := 0.0
	for j := range b.units {
		best := float32(0)
		for _, x := range c[j*s.units : (j+1)*s.units] {
			best = max(best, x)
		}
		sum += float64(best)
	}
	return sum
}

// Arrangements are all orders of two or three views, the first as they are.
func Arrangements(views int) [][]int {
	if views == 2 {
		return [][]int{{0, 1}, {1, 0}}
	}
	return [][]int{{0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}}
}
