package align

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
)

// GenericPair is a matrix of A and one of B, without known roles, that are held
// against each other.
type GenericPair struct {
	A, B   *roles.Matrix
	Choice int // matrices of A among which A was chosen by looking at its rows; 1 where nothing was looked at
}

type extent struct{ rows, cols int }

// GenericPairs pairs the matrices of unknown role of one shape: those that hold
// the same values, those that were chosen by their rows, those of one name, and what is
// left alone of its shape on both sides. Stored order pairs nothing: what is read
// off wrong partners is worse than nothing.
func (p *Pair) GenericPairs() []GenericPair {
	g := p.pairing(p.A.Net.Generic, p.B.Net.Generic)
	g.alone()
	var out []GenericPair
	for _, b := range p.B.Net.Generic {
		if x, ok := g.partner[b]; ok {
			out = append(out, x)
		}
	}
	return out
}

// Unpaired lists the shapes of which several matrices are left on a side once
// values and names have paired what they can, in B's stored order.
func (p *Pair) Unpaired() (out [][2][]*roles.Matrix) {
	g := p.pairing(p.A.Net.Generic, p.B.Net.Generic)
	as, bs := g.left(0), g.left(1)
	var seen []extent
	for _, b := range p.B.Net.Generic {
		shape := extent{b.Rows, b.Cols}
		if _, paired := g.partner[b]; paired || slices.Contains(seen, shape) {
			continue
		}
		seen = append(seen, shape)
		if len(as[shape])+len(bs[shape]) > 2 && len(as[shape]) > 0 {
			out = append(out, [2][]*roles.Matrix{as[shape], bs[shape]})
		}
	}
	return out
}

// UnpairedTurned lists, as Unpaired does, those that nothing has paired so far
// beside matrices of A of the transposed shape, as transposed views of B's; then kernels
// in the orders of all libraries. A matrix may stand in several groups.
func (p *Pair) UnpairedTurned() (out [][2][]*roles.Matrix) {
	g := p.pairing(p.A.Net.Generic, p.B.Net.Generic)
	as, bs := g.left(0), g.left(1)
	var seen []extent
	for _, b := range p.B.Net.Generic {
		shape := extent{b.Rows, b.Cols}
		if _, paired := g.partner[b]; paired || slices.Contains(seen, shape) {
			continue
		}
		seen = append(seen, shape)
		group := [2][]*roles.Matrix{as[extent{b.Cols, b.Rows}], nil}
		for _, m := range bs[shape] {
			if t := m.Turned(); t != nil {
				group[1] = append(group[1], t)
			}
		}
		if len(group[0]) > 0 && len(group[1]) > 0 {
			out = append(out, group)
		}
	}
	g.alone()
	return append(out, g.kernels()...)
}

// kernels groups what is left by the shapes that it has as stored, or in the order of
// another library.
func (g *genericPairing) kernels() (out [][2][]*roles.Matrix) {
	groups := map[string]*[2][]*roles.Matrix{}
	var order []string
	for side := range 2 {
		for _, m := range g.free(side) {
			views := m.Kernels()
			if views == nil {
				continue
			}
			for _, v := range append(views, m) {
				key := fmt.Sprint(v.Dims())
				if groups[key] == nil {
					groups[key] = new([2][]*roles.Matrix)
					order = append(order, key)
				}
				groups[key][side] = append(groups[key][side], v)
			}
		}
	}
	for _, key := range order {
		x := groups[key]
		if slices.ContainsFunc(x[0], func(a *roles.Matrix) bool { return slices.ContainsFunc(x[1], a.Better) }) {
			out = append(out, *x)
		}
	}
	return out
}

// Turn puts matrices that were paired, some of them views, into the networks, each in the
// place of the matrix of the same tensor; kernels that nothing was paired with are viewed in the order that most of their side's are
// in. The subjects themselves, which other pairs may share, stay as they are.
func (p *Pair) Turn(a, b []*roles.Matrix) {
	p.A, p.B = turned(p.A, a), turned(p.B, b)
	if len(a)+len(b) > 0 {
		p.Forget()
	}
}

func turned(s *Subject, views []*roles.Matrix) *Subject {
	if len(views) == 0 {
		return s
	}
	own, net := *s, *s.Net
	net.Generic = slices.Clone(net.Generic)
	for i, m := range net.Generic {
		if at := slices.IndexFunc(views, func(v *roles.Matrix) bool { return v.Tensor == m.Tensor }); at >= 0 {
			net.Generic[i] = views[at]
		} else if v := likeMost(m, views); v != nil {
			net.Generic[i] = v
		}
	}
	own.Net = &net
	return &own
}

// likeMost views a kernel in the order of more than half of the kernels among the views; nil for
// others.
func likeMost(m *roles.Matrix, views []*roles.Matrix) *roles.Matrix {
	count, kernels := map[string]int{}, 0
	var most *roles.Matrix
	for _, v := range views {
		if len(v.Dims()) > 2 {
			kernels++
		}
		if like := m.KernelLike(v); like != nil {
			key := fmt.Sprint(like.Dims())
			if count[key]++; most == nil || count[key] > count[fmt.Sprint(most.Dims())] {
				most = like
			}
		}
	}
	if most == nil || 2*count[fmt.Sprint(most.Dims())] <= kernels {
		return nil
	}
	return most
}

// Choose pairs matrices of unknown role that were found by looking at their rows.
func (p *Pair) Choose(pairs []GenericPair) {
	p.chosen = map[*roles.Matrix]GenericPair{}
	for _, x := range pairs {
		p.chosen[x.B] = x
	}
	p.Forget()
}

// genericPairing is a pairing in the making.
type genericPairing struct {
	sides   [2][]*roles.Matrix
	partner map[*roles.Matrix]GenericPair // by matrix of B
	taken   map[*roles.Matrix]bool        // matrices of A
}

// pairing pairs by values, by what was chosen, and by name.
func (p *Pair) pairing(as, bs []*roles.Matrix) *genericPairing {
	g := &genericPairing{[2][]*roles.Matrix{as, bs}, map[*roles.Matrix]GenericPair{}, map[*roles.Matrix]bool{}}
	g.fitting(func(a, b *roles.Matrix) bool { return p.Same[b.Tensor] == a.Tensor })
	for b, c := range p.chosen {
		g.pair(c.A, b, c.Choice)
	}
	g.fitting(func(a, b *roles.Matrix) bool { return b.Tensor.Name == a.Tensor.Name && p.Same[b.Tensor] == nil })
	return g
}

// fitting pairs the matrices of one shape that fit.
func (g *genericPairing) fitting(fits func(a, b *roles.Matrix) bool) {
	for _, b := range g.sides[1] {
		for _, a := range g.sides[0] {
			if a.Rows == b.Rows && a.Cols == b.Cols && fits(a, b) {
				g.pair(a, b, 1)
			}
		}
	}
}

// Named lists what names alone have paired, by shape in B's stored order: names can be
// exchanged.
func (p *Pair) Named() (out [][2][]*roles.Matrix) {
	g := p.pairing(p.A.Net.Generic, p.B.Net.Generic)
	at := map[extent]int{}
	for _, b := range p.B.Net.Generic {
		x, ok := g.partner[b]
		if !ok || p.Same[b.Tensor] != nil {
			continue
		}
		shape := extent{b.Rows, b.Cols}
		if _, known := at[shape]; !known {
			at[shape] = len(out)
			out = append(out, [2][]*roles.Matrix{})
		}
		group := &out[at[shape]]
		group[0], group[1] = append(group[0], x.A), append(group[1], b)
	}
	return out
}

// pair pairs two matrices that are both free.
func (g *genericPairing) pair(a, b *roles.Matrix, choice int) {
	if _, paired := g.partner[b]; !paired && !g.taken[a] {
		g.partner[b], g.taken[a] = GenericPair{a, b, choice}, true
	}
}

// alone pairs what is left alone of its shape on both sides.
func (g *genericPairing) alone() {
	bs := g.left(1)
	for shape, as := range g.left(0) {
		if bs := bs[shape]; len(as) == 1 && len(bs) == 1 && !otherKernel(as[0], bs[0]) {
			g.pair(as[0], bs[0], 1)
		}
	}
}

// otherKernel tells whether two kernels of as many rows and columns have other windows, or
// their dimensions in another order.
func otherKernel(a, b *roles.Matrix) bool {
	x, y := a.Dims(), b.Dims()
	return len(x) > 2 && len(y) > 2 && !slices.Equal(x, y)
}

// free lists the matrices of a side that have no partner, in stored order.
func (g *genericPairing) free(side int) (out []*roles.Matrix) {
	for _, m := range g.sides[side] {
		if _, paired := g.partner[m]; !paired && !g.taken[m] {
			out = append(out, m)
		}
	}
	return out
}

// left lists the matrices of a side that have no partner, by shape.
func (g *genericPairing) left(side int) map[extent][]*roles.Matrix {
	out := map[extent][]*roles.Matrix{}
	for _, m := range g.free(side) {
		shape := extent{m.Rows, m.Cols}
		out[shape] = append(out[shape], m)
	}
	return out
}
