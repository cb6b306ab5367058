package adversary

import (
	"math"
	"math/rand/v2"
)

// The moves in this file change weights and not what the network computes. They
// are all that an arrangement is made of.

// untie gives the network a head of its own.
func (d *Decoder) untie() {
	if d.Head == nil {
		d.Head = d.Embed.Clone()
	}
}

// readers lists, for the norm of a block or of the end, the gain and the matrices
// that read its output.
type reading struct {
	gain    *[]float64
	readers []*Matrix
}

func (d *Decoder) reads() []reading {
	var all []reading
	for _, b := range d.Blocks {
		all = append(all, reading{&b.In, []*Matrix{b.Q, b.K, b.V}}, reading{&b.Mid, []*Matrix{b.Gate, b.Up}})
	}
	return append(all, reading{&d.Gain, []*Matrix{d.Head}})
}

// writers lists the matrices that add to the residual stream.
func (d *Decoder) writers() (all []*Matrix) {
	for _, b := range d.Blocks {
		all = append(all, b.O, b.Down)
	}
	return all
}

// fold moves all gains into the columns behind them.
func (d *Decoder) fold() {
	d.untie()
	for _, f := range d.reads() {
		for _, m := range f.readers {
			m.columns(*f.gain)
		}
		*f.gain = ones(len(*f.gain))
	}
}

// folded is a copy with its gains folded.
func (d *Decoder) folded() *Decoder {
	c := d.Clone()
	c.fold()
	return c
}

// wear gives a folded network the gains of another, moved out of its columns. Gains
// near zero are kept from dividing by nothing.
func (d *Decoder) wear(other *Decoder) {
	own, theirs := d.reads(), other.Clone()
	theirs.untie()
	for i, f := range theirs.reads() {
		own[i].take(f.gain)
	}
}

func (f reading) take(gain *[]float64) {
	const least = 0.05
	g := clone(*gain)
	inverse := make([]float64, len(g))
	for k, v := range g {
		if math.Abs(v) < least {
			g[k] = math.Copysign(least, v)
		}
		inverse[k] = (*f.gain)[k] / g[k]
	}
	for _, m := range f.readers {
		m.columns(inverse)
	}
	*f.gain = g
}

// drawGains gives the network gains that look trained.
func (d *Decoder) drawGains(r *rand.Rand, spread float64) {
	d.untie()
	for _, f := range d.reads() {
		g := make([]float64, len(*f.gain))
		for k := range g {
			g[k] = math.Exp(spread * r.NormFloat64())
		}
		f.take(&g)
	}
}

// turn writes the residual stream x as R·x. R is orthogonal and the gains are one.
func (d *Decoder) turn(r *Matrix) {
	d.untie()
	for _, f := range d.reads() {
		for _, m := range f.readers {
			*m = *mulT(m, r)
		}
	}
	for _, m := range d.writers() {
		*m = *mul(r, m)
	}
	d.Embed = mulT(d.Embed, r)
}

// reorder gives the residual dimensions another order and other signs: new
// dimension k is old dimension p[k] times s[k]. Gains come along.
func (d *Decoder) reorder(p []int, s []float64) {
	columns := func(m *Matrix) { *m = *m.pickColumns(p).columns(s) }
	head := d.Head
	if head == nil {
		d.Head = d.Embed // the readers of the last norm
	}
	for _, f := range d.reads() {
		for _, m := range f.readers {
			columns(m)
		}
		g := make([]float64, len(p))
		for k, j := range p {
			g[k] = (*f.gain)[j]
		}
		*f.gain = g
	}
	d.Head = head
	for _, m := range d.writers() {
		*m = *m.pickRows(p).each(func(i, _ int, v float64) float64 { return v * s[i] })
	}
	if head != nil {
		columns(d.Embed)
	}
}

// units gives the hidden units of a block another order: new unit j is old unit
// p[j], its up row times by[j] and its down column over by[j].
func (b *Block) units(p []int, by []float64) {
	b.Gate = b.Gate.pickRows(p)
	b.Up = b.Up.pickRows(p).each(func(i, _ int, v float64) float64 { return v * by[i] })
	b.Down = b.Down.pickColumns(p).each(func(_, k int, v float64) float64 { return v / by[k] })
}

// values writes the value channels v of a key-value head as M·v.
func (d *Decoder) values(b *Block, kv int, m, inverse *Matrix) {
	b.V.put(kv*d.Dim, 0, mul(m, b.V.part(kv*d.Dim, d.Dim, 0, b.V.C)))
	for h := range d.Heads {
		if d.group(h) == kv {
			b.O.put(0, h*d.Dim, mul(b.O.part(0, b.O.R, h*d.Dim, d.Dim), inverse))
		}
	}
}

// planes turns and scales the rotary planes of a key-value head: keys by angle and
// scale, its queries by the angle and one over the scale.
func (d *Decoder) planes(b *Block, kv int, angle, scale []float64) {
	d.plane(b.K, kv, angle, scale)
	inverse := make([]float64, len(scale))
	for p, s := range scale {
		inverse[p] = 1 / s
	}
	for h := range d.Heads {
		if d.group(h) == kv {
			d.plane(b.Q, h, angle, inverse)
		}
	}
}

func (d *Decoder) plane(m *Matrix, head int, angle, scale []float64) {
	half := d.Dim / 2
	for p := range half {
		sin, cos := math.Sincos(angle[p])
		x, y := m.Row(head*d.Dim+p), m.Row(head*d.Dim+p+half)
		for k := range x {
			a, b := x[k], y[k]
			x[k], y[k] = scale[p]*(cos*a-sin*b), scale[p]*(sin*a+cos*b)
		}
	}
}

// headOrder gives the key-value heads another order, and the query heads of each:
// new query head h is old head p[h], and heads of a group stay together.
func (d *Decoder) headOrder(b *Block, p []int) {
	ratio := d.Heads / d.KV
	var large, small []int
	for h, from := range p {
		large = append(large, span(from*d.Dim, d.Dim)...)
		if h%ratio == 0 {
			small = append(small, span(d.group(from)*d.Dim, d.Dim)...)
		}
	}
	b.Q, b.O = b.Q.pickRows(large), b.O.pickColumns(large)
	b.K, b.V = b.K.pickRows(small), b.V.pickRows(small)
}

// randomHeads draws an order for headOrder.
func (d *Decoder) randomHeads(r *rand.Rand) (p []int) {
	ratio := d.Heads / d.KV
	for _, g := range r.Perm(d.KV) {
		for _, h := range r.Perm(ratio) {
			p = append(p, g*ratio+h)
		}
	}
	return p
}

// shuffle gives units and heads a random order, and up rows random signs.
func (d *Decoder) shuffle(r *rand.Rand) {
	for _, b := range d.Blocks {
		b.units(r.Perm(b.Gate.R), signs(r, b.Gate.R))
		d.headOrder(b, d.randomHeads(r))
	}
}

// scramble applies every move at random: the disguise of a thief who leaves nothing
// in its place. Gains are drawn at the end, so that none is one.
func (d *Decoder) scramble(r *rand.Rand) {
	d.fold()
	for _, b := range d.Blocks {
		for g := range d.KV {
			x, y := orthogonal(r, d.Dim), orthogonal(r, d.Dim)
			s, angle, scale := make([]float64, d.Dim), make([]float64, d.Dim/2), make([]float64, d.Dim/2)
			inverse := make([]float64, d.Dim)
			for k := range s {
				s[k] = math.Exp(0.5 * r.NormFloat64())
				inverse[k] = 1 / s[k]
			}
			for p := range scale {
				angle[p], scale[p] = 2*math.Pi*r.Float64(), math.Exp(0.3*r.NormFloat64())
			}
			d.values(b, g, mul(x.Clone().columns(s), y), mul(y.transposed().columns(inverse), x.transposed()))
			d.planes(b, g, angle, scale)
		}
	}
	d.shuffle(r)
	d.turn(orthogonal(r, d.Hidden()))
	d.drawGains(r, 0.15)
}

// relabel gives the tokens another order of rows: new row t is old row p[t]. The
// strings stay where they are unless they come along.
func (d *Decoder) relabel(p []int, strings bool) {
	d.Embed = d.Embed.pickRows(p)
	if d.Head != nil {
		d.Head = d.Head.pickRows(p)
	}
	from := d.rows
	if from == nil {
		from = span(0, len(p))
	}
	d.rows = make([]int, len(p))
	for t, old := range p {
		d.rows[t] = from[old]
	}
	if strings && len(d.Tokens) == len(p) {
		old := d.Tokens
		d.Tokens = make([]string, len(p))
		for t, from := range p {
			d.Tokens[t] = old[from]
		}
	}
}

// place says in which row a token of the network before all moves stands.
func (d *Decoder) place(token int) int {
	for t, from := range d.rows {
		if from == token {
			return t
		}
	}
	return token
}

func signs(r *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(1 - 2*r.IntN(2))
	}
	return out
}
