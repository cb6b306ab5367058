package adversary

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The forgers in this file hold a victim's published file and make something of it
// that looks like what the victim was made from.

// mixtures are k rows that look like trained ones: random sums of a matrix's rows.
func mixtures(r *rand.Rand, m *Matrix, k int) *Matrix {
	return mul(gaussian(r, k, m.R, 1/math.Sqrt(float64(m.R))), m)
}

// addUnits puts k units between the others that write next to nothing.
func addUnits(k int, down float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		at := between(r, d.Blocks[0].Gate.R, k)
		for _, b := range d.Blocks {
			b.grow(mixtures(r, b.Gate, k), mixtures(r, b.Up, k), scaled(mixtures(r, b.Down.transposed(), k).transposed(), down), false)
			b.units(at, ones(len(at)))
		}
		return d
	}
}

// between draws an order in which n things keep theirs and k more stand among them.
func between(r *rand.Rand, n, k int) []int {
	places := r.Perm(n + k)[:k]
	slices.Sort(places)
	var out []int
	old, added := 0, n
	for i := range n + k {
		if len(places) > 0 && places[0] == i {
			places = places[1:]
			out = append(out, added)
			added++
			continue
		}
		out = append(out, old)
		old++
	}
	return out
}

// addOpposites puts k pairs of units of ordinary size between the others that undo
// each other exactly.
func addOpposites(k int) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		at := between(r, d.Blocks[0].Gate.R, 2*k)
		for _, b := range d.Blocks {
			g, u, w := mixtures(r, b.Gate, k), mixtures(r, b.Up, k), mixtures(r, b.Down.transposed(), k).transposed()
			b.grow(stack(g, g), stack(u, scaled(u, -1)), beside(w, w), false)
			b.units(at, ones(len(at)))
		}
		return d
	}
}

// split writes a share of the units as two with the same gate: their up rows are s
// and 1−s times the old one, plus and minus something as large as size.
func split(part, s, size float64) func(*rand.Rand, *Decoder) *Decoder {
	return splitNoisy(part, s, size, 0)
}

// splitNoisy tells the gates of the two apart by a little noise.
func splitNoisy(part, s, size, noise float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		for _, b := range d.Blocks {
			n := b.Gate.R
			order := r.Perm(n)
			k := int(part * float64(n))
			one, rest := order[:k], order[k:]
			g, u, w := b.Gate.pickRows(one), b.Up.pickRows(one), b.Down.pickColumns(one)
			apart := gaussian(r, k, u.C, 1)
			apart.each(func(i, c int, v float64) float64 {
				return size * v * length(u.Row(i)) / math.Sqrt(float64(u.C))
			})
			blurred := func() *Matrix {
				return g.Clone().plus(gaussian(r, k, g.C, noise*g.size()), 1)
			}
			b.Gate = stack(b.Gate.pickRows(rest), blurred(), blurred())
			b.Up = stack(b.Up.pickRows(rest), scaled(u, s).plus(apart, 1), scaled(u, 1-s).plus(apart, -1))
			b.Down = beside(b.Down.pickColumns(rest), w, w)
			b.units(r.Perm(b.Gate.R), ones(b.Gate.R))
		}
		return d
	}
}

// addHeads adds a key-value head and its query heads that write next to nothing.
func addHeads(out float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		q := d.Heads / d.KV * d.Dim
		for _, b := range d.Blocks {
			b.O = beside(b.O, scaled(mixtures(r, b.O.transposed(), q).transposed(), out))
			b.Q, b.K, b.V = stack(b.Q, mixtures(r, b.Q, q)), stack(b.K, mixtures(r, b.K, d.Dim)), stack(b.V, mixtures(r, b.V, d.Dim))
		}
		d.Heads, d.KV = d.Heads+d.Heads/d.KV, d.KV+1
		return d
	}
}

// idleLayer is a layer of shuffled values that writes next to nothing.
func idleLayer(r *rand.Rand, like *Block, out float64) *Block {
	b := like.clone()
	for _, n := range b.matrices() {
		v := (*n.at).V
		r.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
	}
	b.O, b.Down = scaled(b.O, out), scaled(b.Down, out)
	return b
}

// addLayer inserts an idle layer.
func addLayer(out float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		at := len(d.Blocks) / 2
		d.Blocks = slices.Insert(d.Blocks, at, idleLayer(r, d.Blocks[at], out))
		return d
	}
}

// addBeyond adds a layer behind the last that the network does not run, as models
// have that predict several tokens at once.
func addBeyond(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.Blocks = append(d.Blocks, idleLayer(r, d.Blocks[len(d.Blocks)-1], 1))
	d.Beyond++
	return d
}

// widen adds residual dimensions that are zero, then turns the stream so that none
// is.
func widen(part, fill float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.folded()
		h := d.Hidden()
		add := max(1, int(part*float64(h)))
		s := math.Sqrt(float64(h) / float64(h+add))
		for _, f := range d.reads() {
			for _, m := range f.readers {
				noise := gaussian(r, m.R, add, fill*m.size()*math.Sqrt(float64(h)/float64(add)))
				*m = *scaled(beside(m, noise), s)
			}
			*f.gain = ones(h + add)
		}
		for _, m := range d.writers() {
			*m = *stack(m, NewMatrix(add, m.C))
		}
		d.Embed = beside(d.Embed, NewMatrix(d.Vocab(), add))
		d.Eps *= s * s
		d.turn(orthogonal(r, h+add))
		return d
	}
}

// addTokens adds embedding rows that are mixtures of pairs of trained ones. No text
// draws them.
func addTokens(k int) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		strings := make([]string, k)
		for i := range strings {
			strings[i] = "added·" + tokenName(i)
		}
		kept := d.Tokens
		d.Tokens = nil
		d.idleTokens(mixtures(r, d.Embed, k), strings)
		d.Tokens = slices.Concat(kept, strings)
		return d
	}
}

// halved rounds every matrix and gain to bfloat16: what a victim publishes.
func halved(_ *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.visit(func(_ string, _, _ int, v []float64) {
		for i, x := range v {
			bits := math.Float32bits(float32(x))
			v[i] = float64(math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff))
		}
	})
	return d
}

// dither adds less than half a step of bfloat16: a master that was never there.
func dither(r *rand.Rand, victim *Decoder) *Decoder {
	const within = 0.49
	d := victim.Clone()
	d.visit(func(_ string, _, _ int, v []float64) {
		for i, x := range v {
			_, exponent := math.Frexp(x)
			v[i] += within * (2*r.Float64() - 1) * math.Ldexp(1, exponent-8)
		}
	})
	return d
}

const blockSize = 32 // of the four-bit lattice

// fourBits rounds the matrices of the layers to a lattice of 16 steps a block.
func fourBits(_ *rand.Rand, victim *Decoder) *Decoder {
	return victim.blocks(func(v []float64, step float64) {
		for i, x := range v {
			v[i] = step * math.Max(-8, math.Min(7, math.Round(x/step)))
		}
	})
}

// ditherFour adds less than half a step of that lattice.
func ditherFour(r *rand.Rand, victim *Decoder) *Decoder {
	return victim.blocks(func(v []float64, step float64) {
		for i := range v {
			v[i] += 0.49 * step * (2*r.Float64() - 1)
		}
	})
}

// blocks changes the matrices of the layers block by block.
func (d *Decoder) blocks(change func(v []float64, step float64)) *Decoder {
	c := d.Clone()
	c.visit(func(name string, _, cols int, v []float64) {
		if !isMatrix(name) {
			return
		}
		for len(v) > 0 {
			n := min(blockSize, len(v))
			most := 0.0
			for _, x := range v[:n] {
				most = math.Max(most, math.Abs(x))
			}
			if most > 0 {
				change(v[:n], most/7)
			}
			v = v[n:]
		}
	})
	return c
}

// pruned24 keeps the two larger of every four values of the layers' matrices.
func pruned24(_ *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.visit(func(name string, _, _ int, v []float64) {
		for i := 0; isMatrix(name) && i+4 <= len(v); i += 4 {
			four := make([]float64, 4)
			for k, x := range v[i : i+4] {
				four[k] = -math.Abs(x)
			}
			for _, k := range largest(four, 2) {
				v[i+k] = 0
			}
		}
	})
	return d
}

// fillZeros puts values as small as the smaller of those there in place of zeros.
func fillZeros(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.visit(func(name string, _, _ int, v []float64) {
		if !isMatrix(name) {
			return
		}
		sizes := make([]float64, 0, len(v))
		for _, x := range v {
			if x != 0 {
				sizes = append(sizes, math.Abs(x))
			}
		}
		slices.Sort(sizes)
		for i, x := range v {
			if x == 0 && len(sizes) > 0 {
				v[i] = sizes[len(sizes)/50] * (2*r.Float64() - 1)
			}
		}
	})
	return d
}

// gainsFolded leaves gains of one.
func gainsFolded(_ *rand.Rand, victim *Decoder) *Decoder { return victim.folded() }

// gainsDrawn moves gains that look trained out of the columns.
func gainsDrawn(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.untie()
	d.drawGains(r, 0.15)
	return d
}

// gainsFromColumns moves gains out that follow the lengths of the columns.
func gainsFromColumns(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.untie()
	for _, f := range d.reads() {
		g := make([]float64, len(*f.gain))
		for _, m := range f.readers {
			for i, v := range m.V {
				g[i%m.C] += v * v
			}
		}
		middle := slices.Clone(g)
		slices.Sort(middle)
		for k, v := range g {
			g[k] = math.Pow(v/middle[len(middle)/2], 0.3) * math.Exp(0.08*r.NormFloat64()) * (*f.gain)[k]
		}
		f.take(&g)
	}
	return d
}

// gainsDoubled multiplies gains and divides columns by one power of two.
func gainsDoubled(_ *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.untie()
	for _, f := range d.reads() {
		g := clone(*f.gain)
		for k := range g {
			g[k] *= 2
		}
		f.take(&g)
	}
	return d
}
