package adversary

import "math/rand/v2"

// The attackers in this file add hidden units of full size whose joint output is
// nothing, or hide the own ones among units that make up for what was done to them.
// They rest on silu(z) − silu(−z) = z: two units with opposite gates make a product of
// two linear forms, which other units can take back.

// gatedUnits are hidden units: rows of gate and up, columns of down.
type gatedUnits struct{ gate, up, down *Matrix }

// joined puts units together.
func joined(all ...gatedUnits) gatedUnits {
	var gates, ups, downs []*Matrix
	for _, u := range all {
		gates, ups, downs = append(gates, u.gate), append(ups, u.up), append(downs, u.down)
	}
	return gatedUnits{stack(gates...), stack(ups...), beside(downs...)}
}

func minus(m *Matrix) *Matrix { return scaled(m, -1) }

// product is (g·x)(u·x)w: two units with opposite gates.
func product(g, u, w *Matrix) gatedUnits {
	return joined(gatedUnits{g, u, w}, gatedUnits{minus(g), u, minus(w)})
}

// padding makes sets of units that sum to nothing, n of each, like the rows of a block
// in size.
type padding struct {
	r *rand.Rand
	b *Block
	n int
}

func (p padding) gate() *Matrix { return gaussian(p.r, p.n, p.b.Gate.C, p.b.Gate.size()) }
func (p padding) up() *Matrix   { return gaussian(p.r, p.n, p.b.Up.C, p.b.Up.size()) }
func (p padding) down() *Matrix { return gaussian(p.r, p.b.Down.R, p.n, p.b.Down.size()) }

// twos undo each other under one gate.
func (p padding) twos() gatedUnits {
	g, u, w := p.gate(), p.up(), p.down()
	return joined(gatedUnits{g, u, w}, gatedUnits{g, u, minus(w)})
}

// threes have one gate and one up row, and down columns that sum to nothing.
func (p padding) threes() gatedUnits {
	g, u, w, v := p.gate(), p.up(), p.down(), p.down()
	return joined(gatedUnits{g, u, w}, gatedUnits{g, u, v}, gatedUnits{g, u, minus(w).plus(v, -1)})
}

// fours are a product and the same with gate and up exchanged, taken off.
func (p padding) fours() gatedUnits {
	g, u, w := p.gate(), p.up(), p.down()
	return joined(product(g, u, w), product(u, g, minus(w)))
}

// sixes are three products whose first forms sum to nothing.
func (p padding) sixes() gatedUnits {
	g, h, u, w := p.gate(), p.gate(), p.up(), p.down()
	return joined(product(g, u, w), product(h, u, w), product(minus(g).plus(h, -1), u, w))
}

// eights are four products whose down columns and forms sum to nothing.
func (p padding) eights() gatedUnits {
	g, u, w, v := p.gate(), p.up(), p.down(), p.down()
	half := scaled(w, 0.5)
	return joined(product(g, u, half), product(u, g, v), product(g, u, half), product(u, g, minus(w).plus(v, -1)))
}

// noisy tells the gates of the added units apart by a little.
func noisy(make func(padding) gatedUnits, noise float64) func(padding) gatedUnits {
	return func(p padding) gatedUnits {
		u := make(p)
		u.gate.plus(gaussian(p.r, u.gate.R, u.gate.C, noise*u.gate.size()), 1)
		return u
	}
}

// mild is a product taken off again by units with other gates: where gates are small,
// silu(z) is z/2 and the exchanged unit undoes the first.
func mild(by float64) func(padding) gatedUnits {
	return func(p padding) gatedUnits {
		g, u, w := scaled(p.gate(), by), p.up(), scaled(p.down(), 1/by)
		return joined(gatedUnits{g, u, w}, gatedUnits{scaled(u, by), scaled(g, 1/by), minus(w)})
	}
}

// padded adds sets that sum to nothing, times as many as the layer has units.
func padded(times float64, make func(padding) gatedUnits) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		for _, b := range d.Blocks {
			n := int(times * float64(b.Gate.R))
			u := make(padding{r, b, n})
			b.grow(u.gate, u.up, u.down, false)
		}
		d.mixUnits(r)
		return d
	}
}

// mixUnits puts the units of every layer in a random order.
func (d *Decoder) mixUnits(r *rand.Rand) {
	width := d.Blocks[0].Gate.R
	for _, b := range d.Blocks {
		b.units(r.Perm(width), ones(width))
	}
}

// turnGates points every second gate the other way and makes up for it: silu(z) is
// silu(−z) + z.
func turnGates(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	for _, b := range d.Blocks {
		g, u, w := b.Gate, b.Up, b.Down
		even, odd := alternate(g.R)
		kept := gatedUnits{g.pickRows(even), u.pickRows(even), w.pickColumns(even)}
		g, u, w = g.pickRows(odd), u.pickRows(odd), w.pickColumns(odd)
		all := joined(kept, gatedUnits{minus(g), u, w}, product(u, g, w))
		b.Gate, b.Up, b.Down = all.gate, all.up, all.down
	}
	d.mixUnits(r)
	return d
}

// alternate lists the even and the odd of n places.
func alternate(n int) (even, odd []int) {
	for i := range n {
		if i%2 == 0 {
			even = append(even, i)
		} else {
			odd = append(odd, i)
		}
	}
	return even, odd
}

// halveGates writes every unit as two halves with opposite gates, and makes up for what
// that takes off.
func halveGates(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	for _, b := range d.Blocks {
		g, u, w := b.Gate, b.Up, scaled(b.Down, 0.5)
		all := joined(gatedUnits{g, u, w}, gatedUnits{minus(g), u, w}, product(u, g, w))
		b.Gate, b.Up, b.Down = all.gate, all.up, all.down
	}
	d.mixUnits(r)
	return d
}
