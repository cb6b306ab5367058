package tokenfree

import (
	"slices"
	"sync"

	"github.com/weightprint/weightprint/internal/dense"
)

// strip is how many units of B stand against all of A at a time: a whole table of a
// layer with hundreds of experts would take more memory than the models.
const strip = 128

// partners finds pairs that are mutually most alike, strip by strip: for each unit
// of B its most alike of A, and the reverse.
type partners struct {
	forth, back []int
	best        []float32 // of A's units
}

func newPartners(nb, na int) *partners {
	p := &partners{forth: make([]int, nb), back: make([]int, na), best: make([]float32, na)}
	for _, none := range [][]int{p.forth, p.back} {
		for i := range none {
			none[i] = -1
		}
	}
	return p
}

// see takes the likenesses of the units of B from one on to all of A.
func (p *partners) see(from int, c []float32) {
	na := len(p.back)
	for j := from; len(c) > 0; j, c = j+1, c[na:] {
		top := float32(0)
		for i, v := range c[:na] {
			if v > top {
				top, p.forth[j] = v, i
			}
			if v > p.best[i] {
				p.best[i], p.back[i] = v, j
			}
		}
	}
}

// mutual returns, for each unit of B, the unit of A where each is the most alike of
// the other, or −1.
func (p *partners) mutual() []int {
	out := make([]int, len(p.forth))
	for j, i := range p.forth {
		if out[j] = i; i >= 0 && p.back[i] != j {
			out[j] = -1
		}
	}
	return out
}

// strips keeps the room for tables of one strip: layers are compared by thousands.
var strips = sync.Pool{New: func() any { return new([]float32) }}

// nearest pairs rows of B with rows of A, d wide, by their products.
func nearest(b, a []float32, nb, na, d int) []int {
	p := newPartners(nb, na)
	room := strips.Get().(*[]float32)
	defer strips.Put(room)
	*room = slices.Grow((*room)[:0], min(strip, nb)*na)
	c := (*room)[:min(strip, nb)*na]
	for lo := 0; lo < nb; lo += strip {
		n := min(strip, nb-lo)
		dense.MulNT(c[:n*na], b[lo*d:(lo+n)*d], a, n, na, d)
		p.see(lo, c[:n*na])
	}
	return p.mutual()
}

// likeness is what comes of the likenesses of B's units to A's, by each group of
// views and by both together.
type likeness struct {
	first, second, both *partners
	cosine              []float32 // of B's units, by the first group, to the most alike by both
}

func newLikeness(nb, na int) *likeness {
	return &likeness{newPartners(nb, na), newPartners(nb, na), newPartners(nb, na), make([]float32, nb)}
}

// see takes tables of the units of B from one on.
func (l *likeness) see(from int, t *tables) {
	l.first.see(from, t.first)
	l.second.see(from, t.second)
	l.both.see(from, t.both)
	na := len(l.both.back)
	for j := range len(t.first) / max(1, na) {
		if i := l.both.forth[from+j]; i >= 0 {
			l.cosine[from+j] = t.first[j*na+i]
		}
	}
}

// compare is the likeness of two layers under the rotation found so far.
func (f *fit) compare(a, b *directions) *likeness {
	l, onto := newLikeness(b.units, a.units), b.onto(f.turn, f.dims)
	t := rooms.Get().(*tables)
	defer rooms.Put(t)
	for lo := 0; lo < b.units && !f.opt.ended(); lo += strip {
		t.fill(f, a, onto, lo, min(strip, b.units-lo))
		l.see(lo, t)
	}
	return l
}

// tables are the likenesses of some units of B to all of A, by each group of views and
// by both; part is room for those by one view.
type tables struct{ first, second, both, part []float32 }

// rooms keeps them: layers are compared again in each round.
var rooms = sync.Pool{New: func() any { return new(tables) }}

// sized sets both groups to n zeros each.
func (t *tables) sized(n int) {
	for _, x := range []*[]float32{&t.first, &t.second, &t.both, &t.part} {
		*x = slices.Grow((*x)[:0], n)[:n]
	}
	clear(t.first)
	clear(t.second)
}

// fill takes n units of B from one on. B's rows lie in A's directions already.
func (t *tables) fill(f *fit, a, b *directions, lo, n int) {
	t.sized(a.units * n)
	for v, rows := range b.rows {
		dense.MulNT(t.part, rows[lo*f.dims:(lo+n)*f.dims], a.rows[v], n, a.units, f.dims)
		group := t.first
		if v >= a.first {
			group = t.second
		}
		if a.odd[v] {
			dense.AddSizes(group, t.part)
		} else {
			dense.Add(group, t.part)
		}
	}
	copy(t.both, t.first)
	dense.Add(t.both, t.second)
}

// agreeing returns, for each unit of B, the unit of A that both groups give, each
// mutually, or −1.
func (l *likeness) agreeing() []int {
	x, y := l.first.mutual(), l.second.mutual()
	for j, i := range x {
		if y[j] != i {
			x[j] = -1
		}
	}
	return x
}

// cosines adds up the cosines of matched units in the first group of views.
func (l *likeness) cosines(match []int, a *directions) (s sum) {
	for j, i := range match {
		if i >= 0 {
			s.add(float64(l.cosine[j]) / float64(a.first))
		}
	}
	return s
}

// count counts agreeing units.
func (l *likeness) count(a, b *directions) (Layer, sum) {
	out := Layer{Tested: min(a.live(), b.live())}
	for j, i := range l.agreeing() {
		if i >= 0 {
			out.Agree++
			out.Pairs = append(out.Pairs, [2]int{i, j})
		}
	}
	c := l.cosines(l.both.mutual(), a)
	out.Cosine = c.mean()
	return out, c
}
