package adversary

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The attackers in this file carry the victim's values as passengers: they stand in
// the own network and its output does not use them.

// grow adds hidden units to a block.
func (b *Block) grow(gate, up, down *Matrix, front bool) {
	if front {
		b.Gate, b.Up, b.Down = stack(gate, b.Gate), stack(up, b.Up), beside(down, b.Down)
		return
	}
	b.Gate, b.Up, b.Down = stack(b.Gate, gate), stack(b.Up, up), beside(b.Down, down)
}

// ratio is what the victim's columns are multiplied by where they stand behind own
// gains, so that gain times column is the victim's.
func ratio(victim, own []float64) []float64 {
	out := make([]float64, len(own))
	for k, g := range own {
		out[k] = victim[k]
		if g != 0 {
			out[k] /= g
		}
	}
	return out
}

// plantUnits adds the first k units of every layer of the victim with down columns
// times a number near zero, in front, behind or anywhere.
func plantUnits(k int, down float64, front, anywhere bool) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(r *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		for l, b := range d.Blocks {
			v := victim.Blocks[l]
			at, by := span(0, share(k, v.Gate.R)), ratio(v.Mid, b.Mid)
			b.grow(v.Gate.pickRows(at).columns(by), v.Up.pickRows(at).columns(by), scaled(v.Down.pickColumns(at), down), front)
			if anywhere {
				b.units(r.Perm(b.Gate.R), ones(b.Gate.R))
			}
		}
		return d
	}
}

// share is k of 256 units, at another width as many in proportion; 0 means all.
func share(k, width int) int {
	if k == 0 {
		return width
	}
	return max(1, k*width/256)
}

// plantSets adds units of the victim in sets of four that sum to nothing at full
// norm: silu(g)·u − silu(−g)·u = g·u, and the same with the views exchanged is taken
// off again.
func plantSets(k int) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		for l, b := range d.Blocks {
			v := victim.Blocks[l]
			at, by := span(0, share(k, v.Gate.R)), ratio(v.Mid, b.Mid)
			g, u, w := v.Gate.pickRows(at).columns(by), v.Up.pickRows(at).columns(by), v.Down.pickColumns(at)
			minus := func(m *Matrix) *Matrix { return scaled(m, -1) }
			b.grow(g, u, w, true)
			b.grow(stack(minus(g), u, minus(u)), stack(u, g, g), beside(minus(w), minus(w), w), false)
		}
		return d
	}
}

// plantHeads adds the victim's heads, in front, with output columns near zero.
func plantHeads(down float64) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		for l, b := range d.Blocks {
			v := victim.Blocks[l]
			by := ratio(v.In, b.In)
			b.Q, b.K, b.V = stack(v.Q.Clone().columns(by), b.Q), stack(v.K.Clone().columns(by), b.K), stack(v.V.Clone().columns(by), b.V)
			b.O = beside(scaled(v.O, down), b.O)
		}
		d.Heads, d.KV = 2*d.Heads, 2*d.KV
		return d
	}
}

// plantLayer adds one layer of the victim at the end that writes next to nothing.
func plantLayer(out float64) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		b := victim.Blocks[len(victim.Blocks)/2].clone()
		b.O, b.Down = scaled(b.O, out), scaled(b.Down, out)
		d.Blocks = append(d.Blocks, b)
		return d
	}
}

// plantTokens adds the victim's embedding rows under the victim's strings.
func plantTokens(_ *rand.Rand, own, victim *Decoder) *Decoder {
	d := own.Clone()
	d.idleTokens(victim.Embed, victim.Tokens)
	return d
}

// side carries the whole victim in residual dimensions of its own, eps times as long
// as the own stream, or less where that would be felt: it need not work, only lie
// there. With rotated, nobody sees the seam.
func side(eps float64, rotated bool) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	const felt = 0.01
	return func(r *rand.Rand, own, victim *Decoder) *Decoder {
		d := carried(own, victim, eps, 1)
		for e, loud := eps/2, 0.5; Gap(own, d) > felt && loud > 1e-3; e, loud = e/2, loud/2 {
			d = carried(own, victim, e, loud)
		}
		if rotated {
			d.fold()
			d.turn(orthogonal(r, d.Hidden()))
			d.shuffle(r)
		}
		return d
	}
}

// carried puts the two networks side by side. The head next to ignores the victim's
// dimensions, and the gains are such that the victim's part reads its stream at loud
// times its usual size.
func carried(own, victim *Decoder, eps, loud float64) *Decoder {
	const ignored = 1e-4 // of the head
	a, b := own.Clone(), victim.Clone()
	a.untie()
	b.untie()
	half := math.Sqrt(float64(a.Hidden()) / float64(a.Hidden()+b.Hidden()))
	larger := sizeRatios(a, b) // of the own stream against the victim's, norm by norm
	eps *= slices.Min(larger)
	gains := func(x, y []float64, site int) []float64 {
		out := clone(x)
		for _, v := range y {
			out = append(out, v*loud*larger[site]/eps)
		}
		for k := range out {
			out[k] *= half
		}
		return out
	}
	d := &Decoder{Heads: a.Heads + b.Heads, KV: a.KV + b.KV, Dim: a.Dim, Theta: a.Theta, Eps: a.Eps * half * half, Tokens: a.Tokens}
	d.Embed, d.Head = beside(a.Embed, scaled(b.Embed, eps)), beside(a.Head, scaled(b.Head, ignored*eps))
	d.Gain = gains(a.Gain, b.Gain, len(larger)-1)
	for l, x := range a.Blocks {
		y := b.Blocks[l]
		d.Blocks = append(d.Blocks, &Block{
			In: gains(x.In, y.In, 2*l), Q: diagonal(x.Q, y.Q), K: diagonal(x.K, y.K), V: diagonal(x.V, y.V), O: diagonal(x.O, scaled(y.O, eps)),
			Mid: gains(x.Mid, y.Mid, 2*l+1), Gate: diagonal(x.Gate, y.Gate), Up: diagonal(x.Up, y.Up), Down: diagonal(x.Down, scaled(y.Down, eps)),
		})
	}
	return d
}

// sizeRatios says, for every norm in order, how many times longer than b's the stream
// of a is on a text of all tokens.
func sizeRatios(a, b *Decoder) (out []float64) {
	x, y := a.normSizes(), b.normSizes()
	for i := range x {
		out = append(out, x[i]/y[i])
	}
	return out
}

func (d *Decoder) normSizes() (out []float64) {
	t := d.run([][]int{span(0, min(128, d.Vocab()))})
	size := func(n normed) float64 { return length(n.size) / math.Sqrt(float64(len(n.size))) }
	for _, p := range t.blocks {
		out = append(out, size(p.n1), size(p.n2))
	}
	return append(out, size(t.last))
}

// diagonal puts two matrices into the corners of one.
func diagonal(x, y *Matrix) *Matrix {
	out := NewMatrix(x.R+y.R, x.C+y.C)
	out.put(0, 0, x)
	out.put(x.R, x.C, y)
	return out
}
