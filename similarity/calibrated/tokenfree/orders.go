package tokenfree

import (
	"context"
	"slices"

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
// order[k] as it is named. Once ctx has ended the orders mean nothing.
func Orders(ctx context.Context, a, b []mlp.Block, o *Options) [][]int {
	if len(a) == 0 || len(b) == 0 || len(a[0].Views()) != len(b[0].Views()) {
		return nil
	}
	opt := o.within(ctx)
	opt.Units = unnamedUnits
	dims := min(opt.Dims, a[0].Hidden, b[0].Hidden)
	like := opt.describer(a, dims, false)
	sb := opt.describer(b, dims, true).some(0, len(b))
	arrangements := Arrangements(len(b[0].Views()))
	scores := make([]float64, len(a)*len(b)*len(arrangements))
	for lo := 0; lo < len(a); lo += abreast {
		sa := like.some(lo, min(lo+abreast, len(a)))
		dense.Parallel(len(sa)*len(b), func(k int) {
			i, j := lo+k%len(sa), k/len(sa)
			if opt.ended() || i != j && len(a)*len(b) > opt.Pairs {
				return
			}
			for n, order := range arrangements {
				scores[(j*len(a)+i)*len(arrangements)+n] = sa[i-lo].like(sb[j], order)
			}
		})
	}
	if opt.ended() {
		return nil
	}
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

	rows  []float32    // flattened, as the views stand
	lower *basis.Lower // what flattens them
	mean  [][]float64  // and brings them to mean 0 and deviation 1: two numbers a column
}

// describer describes the units of layers.
type describer struct {
	*Options
	blocks []mlp.Block
	dims   int
	sample bool
	span   []float32
	whole  []float32   // the mean Gram matrix of all layers
	own    [][]float32 // and that of each
}

// describer looks at all layers. Their rows are made anew for each of its steps: together
// they would take as much memory as the blocks.
func (o *Options) describer(blocks []mlp.Block, dims int, sample bool) *describer {
	x := &describer{Options: o, blocks: blocks, dims: dims, sample: sample, whole: make([]float32, dims*dims)}
	x.span = o.leading(func(yield func(*directions) bool) {
		for i := range blocks {
			if o.ended() || !yield(bare(&blocks[i])) {
				return
			}
		}
	}, blocks[0].Hidden, dims)
	for i := range blocks {
		if o.ended() {
			return x
		}
		x.own = append(x.own, x.reduced(i).gram())
		dense.Add(x.whole, x.own[i])
	}
	unitTrace(x.whole, dims)
	return x
}

func (x *describer) reduced(i int) *directions { return bare(&x.blocks[i]).onto(x.span, x.dims) }

// some describes the units of the layers [lo, hi).
func (x *describer) some(lo, hi int) []*unnamed {
	out := make([]*unnamed, hi-lo)
	for i := range out {
		if x.ended() {
			break
		}
		d := x.reduced(lo + i)
		if x.sample {
			d = x.sampled(d)
		}
		out[i] = d.unnamed([][]float32{x.whole, x.own[lo+i]}, !x.sample)
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
		dense.Add(out, g)
	}
	unitTrace(out, d.dim)
	return out
}

func (d *directions) unnamed(forms [][]float32, flatten bool) *unnamed {
	s := &unnamed{units: d.units, views: make([][][]float64, len(d.rows)), pairs: make([][][]float64, pairOf(len(d.rows), 0))}
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
			s.views[w] = append(s.views[w], logarithms(d.dots(y, t[w])), logarithms(d.dots(t[w], t[w])))
		}
		for v, x := range d.rows[:w] {
			p := &s.pairs[pairOf(w, v)]
			*p = append(*p, sizes(d.dots(x, y)))
			for _, t := range through {
				*p = append(*p, sizes(d.dots(x, t[w])), sizes(d.dots(t[v], t[w])))
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
// even, and their rows to unit length; only these are kept.
func (s *unnamed) flatten() {
	columns := s.columns(Arrangements(len(s.views))[0])
	for _, c := range columns {
		s.mean = append(s.mean, spread(c))
	}
	x := s.table(columns, s.mean)
	if lower, ok := covariance(x); ok {
		s.lower, s.rows = lower, x.through(lower)
	}
	s.views, s.pairs = nil, nil
}

// table is units × columns, in deviations from the means given.
func (s *unnamed) table(columns, mean [][]float64) *signature {
	out := make([]float32, 0, s.units*len(columns))
	for u := range s.units {
		for k, c := range columns {
			out = append(out, float32(max(-6, min(6, (c[u]-mean[k][0])/mean[k][1]))))
		}
	}
	return &signature{units: s.units, count: len(columns), values: out}
}

// like is how alike the units of b, with their views in some order, are to those of s
// that are most like them, in the mean.
func (s *unnamed) like(b *unnamed, order []int) float64 {
	if s.lower == nil {
		return 0
	}
	columns := b.columns(order)
	n := len(columns)
	rows := b.table(columns, s.mean).through(s.lower)
	room := strips.Get().(*[]float32)
	defer strips.Put(room)
	*room = slices.Grow((*room)[:0], b.units*s.units)
	c := (*room)[:b.units*s.units]
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
