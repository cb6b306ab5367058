package tokenfree

import (
	"iter"
	"slices"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// fit finds where the leading directions of A's residual stream lie in B's,
// from some layers of both.
type fit struct {
	opt  Options
	a    []*directions // in A's leading directions, dims wide
	b    []*directions // the units of B that take part, as wide as B
	span []float32     // dims × width of A: its leading directions, nil when all
	dims int
	turn []float32 // dims × width of B: the same directions in B

	last []*likeness // of the layers, under turn: what the last round saw

	signed []*directions // B's units in its own leading directions, for signatures
	forms  [2][][]float32

	unweighed bool // directions count by how much the units use them
}

// newFit reduces A to its leading directions and draws the units of B.
func newFit(opt Options, a, b layers) *fit {
	ha, hb := a.blocks[0].Head().Hidden, b.blocks[0].Head().Hidden
	f := &fit{opt: opt, dims: min(opt.Dims, ha, hb)}
	f.span = opt.leading(a.each, ha, f.dims)
	own := opt.leading(b.each, hb, f.dims)
	for d := range a.each {
		f.a = append(f.a, d.onto(f.span, f.dims))
	}
	reduced := func(yield func(*directions) bool) {
		for d := range b.each {
			f.b = append(f.b, f.opt.sampled(d))
			d = d.onto(own, f.dims)
			f.signed = append(f.signed, f.opt.sampled(d))
			if !yield(d) {
				return
			}
		}
	}
	f.forms = [2][][]float32{forms(slices.Values(f.a), len(f.a)), forms(reduced, len(b.blocks))}
	return f
}

// leading returns dims × hidden orthonormal rows from all units of some
// layers, nil where all directions are kept.
func (o *Options) leading(layers iter.Seq[*directions], h, dims int) []float32 {
	if dims == h {
		return nil
	}
	s := make([]float32, h*h)
	for l := range layers {
		if o.ended() {
			return s[:dims*h]
		}
		for _, rows := range l.rows {
			dense.Add(s, basis.ColumnGram(rows, l.units, h))
		}
	}
	r := rng.New(o.Seed, "start of leading directions")
	start := make([]float32, dims*h)
	for i := range start {
		start[i] = float32(int64(r.Uint64()>>40)-1<<23) / (1 << 23)
	}
	return basis.Leading(s, h, dims, start)
}

// sampled keeps as many of B's units as take part.
func (o *Options) sampled(d *directions) *directions {
	if d.units <= o.Units {
		return d
	}
	return d.only(rng.New(o.Seed, "token-free units").Sample(d.units, o.Units))
}

// seeds matches the units of every layer by what no change of basis alters.
// matches hold, for each layer and unit of B, the unit of A or −1.
func (f *fit) seeds() (matches [][]int) {
	for i := range f.a {
		matches = append(matches, f.seed(f.a[i], f.signed[i]))
	}
	return matches
}

func (f *fit) seed(a, b *directions) []int {
	return f.opt.seed(signatures(a, f.forms[0]), signatures(b, f.forms[1]))
}

// seed matches units by their signatures.
func (o *Options) seed(a, b *signature) []int {
	ea, eb, ok := flattened(a, b)
	if !ok || o.ended() {
		return slices.Repeat([]int{-1}, b.units)
	}
	return nearest(eb, ea, b.units, a.units, a.count)
}

// settled is the share of units that may still change their partner in a round
// after which no further round is made. Of related networks none does after two or
// three rounds; of strangers a few go on changing to and fro.
const settled = 1.0 / 50

// run improves the rotation and the matches in turn, and returns the cosines
// of the pairs that it was last fitted to, in the first group of views.
func (f *fit) run(matches [][]int) (likeness sum) {
	for round := range f.opt.Rounds {
		if f.opt.ended() {
			break
		}
		f.turn = f.procrustes(matches, round == 0)
		likeness, f.last = sum{}, f.last[:0]
		changed, units := 0, 0
		for i, a := range f.a {
			l := f.compare(a, f.b[i])
			f.last = append(f.last, l)
			next := l.both.mutual()
			likeness.merge(l.cosines(next, a))
			units += len(next)
			for j := range next {
				if next[j] != matches[i][j] {
					changed++
				}
			}
			matches[i] = next
		}
		if round > 0 && float64(changed) <= settled*float64(units) { // the first round has seen one view only
			break
		}
	}
	return likeness
}

// procrustes returns the orthonormal directions of B (dims × width) in which
// its units come closest to the matched units of A. Views whose signs are free
// take part once there is a rotation that tells their signs.
func (f *fit) procrustes(matches [][]int, start bool) []float32 {
	h := f.b[0].dim
	cross, own := make([]float32, f.dims*h), make([]float32, f.dims*f.dims)
	for i, a := range f.a {
		for v, odd := range a.odd {
			if odd && start && (v >= a.first || a.compass == nil) {
				continue
			}
			x, y := f.matched(a, f.b[i], v, matches[i], start)
			if n := len(y) / h; n > 0 {
				xt := basis.Transpose(x, n, f.dims)
				part := make([]float32, len(cross))
				dense.MulNT(part, xt, basis.Transpose(y, n, h), f.dims, h, n)
				dense.Add(cross, part)
				dense.Gram(part[:len(own)], xt, f.dims, n)
				dense.Add(own, part[:len(own)])
			}
		}
	}
	if f.unweighed {
		return basis.Polar(cross, f.dims, h)
	}
	return basis.Polar(basis.Regress(own, cross, f.dims, h, damping), f.dims, h)
}

// damping is how much of the mean variance is added to all directions before
// they are weighed alike: directions that hardly any unit uses stay weak.
const damping = 0.05

// matched returns the rows of matched units in one view, those of A with their
// signs turned to those of B: by the rotation, and where there is none yet by the
// compasses of both.
func (f *fit) matched(a, b *directions, v int, match []int, start bool) (x, y []float32) {
	pairs := 0
	for _, i := range match {
		if i >= 0 {
			pairs++
		}
	}
	x, y = make([]float32, 0, pairs*a.dim), make([]float32, 0, pairs*b.dim)
	var way []float32
	for j, i := range match {
		if i >= 0 {
			x = append(x, a.rows[v][i*a.dim:(i+1)*a.dim]...)
			y = append(y, b.rows[v][j*b.dim:(j+1)*b.dim]...)
			if a.odd[v] && start {
				way = append(way, a.points(v, i)*b.points(v, j))
			}
		}
	}
	if !a.odd[v] {
		return x, y
	}
	n := len(y) / b.dim
	turned := make([]float32, n*f.dims)
	if !start {
		dense.MulNT(turned, y, f.turn, n, f.dims, b.dim)
	}
	for k := range n {
		row := x[k*f.dims : (k+1)*f.dims]
		if start && way[k] < 0 || dense.Dot(turned[k*f.dims:(k+1)*f.dims], row) < 0 {
			for c, w := range row {
				row[c] = -w
			}
		}
	}
	return x, y
}

// try counts the agreeing units of a layer that took no part in the fit.
func (f *fit) try(a, b *directions) (Layer, sum) {
	ra, rb := a.onto(f.span, f.dims), b
	if !f.opt.Whole {
		rb = f.opt.sampled(b)
	}
	return f.compare(ra, rb).count(ra, rb)
}

// fitted counts the agreeing units of a layer that took part in the fit, as the last
// round saw them.
func (f *fit) fitted(i int) Layer {
	l, _ := f.last[i].count(f.a[i], f.b[i])
	return l
}

// guess matches the units of layers that took no part in the fit.
func (f *fit) guess(a, b layers) (matches [][]int) {
	for i := range a.blocks {
		ra, rb := a.at(i).onto(f.span, f.dims), f.opt.sampled(b.at(i))
		matches = append(matches, f.compare(ra, rb).both.mutual())
	}
	return matches
}
