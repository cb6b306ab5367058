package tokenfree

import (
	"math"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Options bound the work. The zero value takes the defaults.
type Options struct {
	Seed   []byte // fixes the sampled units and the start of the iteration
	Units  int    // units of B that take part in a layer, 512 when 0; all of A do
	Dims   int    // leading directions of the residual stream that are looked at, 192 when 0
	Rounds int    // of fitting, 12 when 0
}

func (o *Options) orDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	for _, x := range []struct {
		at    *int
		value int
	}{{&d.Units, 512}, {&d.Dims, 192}, {&d.Rounds, 12}} {
		if *x.at == 0 {
			*x.at = x.value
		}
	}
	return d
}

// Layer is what was seen in one layer, under a basis that was fitted without it.
type Layer struct {
	Agree  int     // units of B whose best partner in A is the same in both groups of views, mutually
	Tested int     // units that could have agreed
	Cosine float64 // mean cosine in the first group of views of the units matched by all views together
}

// Result is the agreement of two stacks of blocks.
type Result struct {
	Layers   []Layer // by position in the input
	Agree    int
	Tested   int
	Cosine   float64 // mean over all matched units of held-out layers
	Residual float64 // 1 − mean cosine of the pairs that the bases were fitted to
	Dims     int     // directions that were looked at
}

// Share is the part of the tested units that agree.
func (r *Result) Share() float64 { return float64(r.Agree) / math.Max(1, float64(r.Tested)) }

// CrossFit holds block i of A against block i of B, for all i: the rotation
// between the residual streams is fitted on the even blocks and tried on the
// odd ones, and the reverse. It returns nil where there are fewer than two
// blocks.
func CrossFit(a, b []Block, o *Options) *Result {
	if len(a) < 2 || len(a) != len(b) {
		return nil
	}
	opt := o.orDefaults()
	sa, sb := directionsAll(a), directionsAll(b)
	r := &Result{Layers: make([]Layer, len(a))}
	var cosine, residual sum
	for fold := range 2 {
		f := fit{opt: opt, a: pick(sa, fold), b: pick(sb, fold)}
		f.run()
		r.Dims = f.dims
		residual.merge(f.cosine)
		for i := range a {
			if i%2 != fold {
				layer, c := f.try(sa[i], sb[i])
				r.Layers[i] = layer
				r.Agree += layer.Agree
				r.Tested += layer.Tested
				cosine.merge(c)
			}
		}
	}
	r.Cosine, r.Residual = cosine.mean(), 1-residual.mean()
	return r
}

func directionsAll(bs []Block) []*directions {
	out := make([]*directions, len(bs))
	for i := range bs {
		out[i] = directionsOf(&bs[i])
	}
	return out
}

// pick returns every second layer.
func pick(all []*directions, first int) (out []*directions) {
	for i := first; i < len(all); i += 2 {
		out = append(out, all[i])
	}
	return out
}

// sum adds up values for their mean.
type sum struct {
	total float64
	n     int
}

func (s *sum) add(x float64) { s.total, s.n = s.total+x, s.n+1 }
func (s *sum) merge(o sum)   { s.total, s.n = s.total+o.total, s.n+o.n }
func (s sum) mean() float64  { return s.total / math.Max(1, float64(s.n)) }

// fit finds the rotation between two residual streams from some of their
// layers.
type fit struct {
	opt    Options
	a, b   []*directions // layers to fit on
	dims   int
	ba, bb []float32 // dims × hidden: the leading directions of either side
	turn   []float32 // dims × dims: rows of A in those directions times it are rows of B
	cosine sum       // of the last pairs in the first group
}

// run reduces both sides to their leading directions, matches units by
// signature, and improves rotation and matches in turn.
func (f *fit) run() {
	f.reduce()
	var ra, rb []*directions
	var matches [][]int
	fa, fb := f.reduced(f.a, f.ba), f.reduced(f.b, f.bb)
	ma, mb := forms(fa), forms(fb)
	for i := range fa {
		rb = append(rb, f.sampled(fb[i]))
		ra = append(ra, fa[i])
		matches = append(matches, seed(ra[i], rb[i], ma, mb))
	}
	for round := range f.opt.Rounds {
		f.turn = f.procrustes(ra, rb, matches, round == 0)
		same := true
		for i := range ra {
			first, second := f.tables(ra[i], rb[i])
			for k, v := range second {
				first[k] += v
			}
			next := mutual(first, rb[i].units, ra[i].units)
			same = same && equal(next, matches[i])
			matches[i] = next
		}
		if same {
			break
		}
	}
	f.cosine = f.likeness(ra, rb, matches)
}

func equal(x, y []int) bool {
	for i, v := range x {
		if v != y[i] {
			return false
		}
	}
	return true
}

// reduce finds the leading directions of both sides, from all units of the
// layers to fit on.
func (f *fit) reduce() {
	f.dims = min(f.opt.Dims, f.a[0].dim, f.b[0].dim)
	f.ba, f.bb = f.leading(f.a), f.leading(f.b)
}

// leading returns dims × hidden orthonormal rows, nil where all directions are kept.
func (f *fit) leading(layers []*directions) []float32 {
	h := layers[0].dim
	if f.dims == h {
		return nil
	}
	s := make([]float32, h*h)
	for _, l := range layers {
		for _, rows := range l.rows {
			g := basis.ColumnGram(rows, l.units, h)
			for i, v := range g {
				s[i] += v
			}
		}
	}
	r := rng.New(f.opt.Seed, "start of leading directions")
	start := make([]float32, f.dims*h)
	for i := range start {
		start[i] = float32(int64(r.Uint64()>>40)-1<<23) / (1 << 23)
	}
	return basis.Leading(s, h, f.dims, start)
}

func (f *fit) reduced(layers []*directions, by []float32) []*directions {
	out := make([]*directions, len(layers))
	for i, l := range layers {
		out[i] = f.onto(l, by)
	}
	return out
}

func (f *fit) onto(d *directions, by []float32) *directions {
	if by == nil {
		return d
	}
	return d.onto(by, f.dims)
}

// sampled keeps as many of B's units as take part.
func (f *fit) sampled(d *directions) *directions {
	if d.units <= f.opt.Units {
		return d
	}
	return d.only(rng.New(f.opt.Seed, "token-free units").Sample(d.units, f.opt.Units))
}

// seed matches units by what no change of basis alters.
func seed(a, b *directions, ma, mb [][]float32) []int {
	xa, count := signatures(a, ma)
	xb, _ := signatures(b, mb)
	ea, eb, ok := evened(xa, xb, a.units, b.units, count)
	none := make([]int, b.units)
	for i := range none {
		none[i] = -1
	}
	if !ok {
		return none
	}
	c := make([]float32, b.units*a.units)
	dense.MulNT(c, eb, ea, b.units, a.units, count)
	return mutual(c, b.units, a.units)
}

// procrustes returns the rotation that brings matched rows of A closest to
// those of B. Views whose signs are free take part once there is a rotation
// that tells their signs.
func (f *fit) procrustes(a, b []*directions, matches [][]int, start bool) []float32 {
	k := f.dims
	cross := make([]float32, k*k)
	for i := range a {
		for v, odd := range a[i].odd {
			if odd && start {
				continue
			}
			x, y := f.matched(a[i], b[i], v, matches[i])
			n := len(x) / k
			if n == 0 {
				continue
			}
			part := make([]float32, k*k)
			dense.MulNT(part, basis.Transpose(x, n, k), basis.Transpose(y, n, k), k, k, n)
			for c, w := range part {
				cross[c] += w
			}
		}
	}
	return basis.Polar(cross, k, k)
}

// matched returns the rows of matched units in one view, those of A with their
// signs turned to those of B.
func (f *fit) matched(a, b *directions, v int, match []int) (x, y []float32) {
	k := f.dims
	for j, i := range match {
		if i >= 0 {
			x = append(x, a.rows[v][i*k:(i+1)*k]...)
			y = append(y, b.rows[v][j*k:(j+1)*k]...)
		}
	}
	if !a.odd[v] {
		return x, y
	}
	turned := make([]float32, len(x))
	dense.MulNT(turned, x, basis.Transpose(f.turn, k, k), len(x)/k, k, k)
	for first := 0; first < len(x); first += k {
		if dense.Dot(turned[first:first+k], y[first:first+k]) < 0 {
			for c := first; c < first+k; c++ {
				x[c] = -x[c]
			}
		}
	}
	return x, y
}

// tables are the likenesses of B's units to A's (units of B × units of A),
// by each group of views.
func (f *fit) tables(a, b *directions) (first, second []float32) {
	k := f.dims
	tables := [2][]float32{make([]float32, a.units*b.units), make([]float32, a.units*b.units)}
	c := make([]float32, a.units*b.units)
	for v, rows := range b.rows {
		turned := make([]float32, len(rows))
		dense.MulNT(turned, rows, f.turn, b.units, k, k) // b·turnᵀ: B's rows in A's coordinates
		dense.MulNT(c, turned, a.rows[v], b.units, a.units, k)
		group := tables[0]
		if v >= a.first {
			group = tables[1]
		}
		for i, x := range c {
			if a.odd[v] && x < 0 {
				x = -x
			}
			group[i] += x
		}
	}
	return tables[0], tables[1]
}

// likeness adds up the cosines of matched units in the first view.
func (f *fit) likeness(a, b []*directions, matches [][]int) (s sum) {
	for i := range a {
		first, _ := f.tables(a[i], b[i])
		for j, u := range matches[i] {
			if u >= 0 {
				s.add(float64(first[j*a[i].units+u]) / float64(a[i].first))
			}
		}
	}
	return s
}

// try counts the agreeing units of a layer that took no part in the fit.
func (f *fit) try(a, b *directions) (Layer, sum) {
	ra, rb := f.onto(a, f.ba), f.sampled(f.onto(b, f.bb))
	first, second := f.tables(ra, rb)
	x, y := mutual(first, rb.units, ra.units), mutual(second, rb.units, ra.units)
	l := Layer{Tested: min(ra.live(), rb.live())}
	for j, i := range x {
		if i >= 0 && y[j] == i {
			l.Agree++
		}
	}
	both := make([]float32, len(first))
	for k, v := range first {
		both[k] = v + second[k]
	}
	var c sum
	for j, i := range mutual(both, rb.units, ra.units) {
		if i >= 0 {
			c.add(float64(first[j*ra.units+i]) / float64(ra.first))
		}
	}
	l.Cosine = c.mean()
	return l, c
}

// live counts units that are zero in no view.
func (d *directions) live() int {
	n := 0
	for u := range d.units {
		ok := true
		for _, length := range d.length {
			ok = ok && length[u] > 0
		}
		if ok {
			n++
		}
	}
	return n
}
