package mlp

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// Two units open together when their gate rows lie on one line to this cosine,
// and are as long to this ratio.
const (
	parallel  = 0.995
	sameScale = 0.05
)

// kept is the share of a group's joint output, by squares, that its pairs must
// carry.
const kept = 0.95

// mostJoined is how many units a layer may have whose units are put together: every two
// gates are held against each other.
const mostJoined = 1 << 16

// Rejoined returns the block with units put together as far as what the layer
// computes tells them apart; joined is how many went.
//
// A gated unit adds silu(g·x)·(u·x)·d. With silu(z) = z/2 + e(z), where e is even,
// the layer is Σ e(g·x)·(d·uᵀ)x and a quadratic form. The functions e(g·x) of gates
// that are not ±each other are independent of one another and of polynomials (they
// have their poles at different places), so a layer fixes, and any set of units
// that computes it has,
//
//   - T = Σ d·uᵀ for each line ±g, over all units whose gate is g or −g, and
//   - the quadratic form ½·Σ (g·x)(u·x)d over all units.
//
// How T is divided among units is free: a unit that was split, in two with one gate
// or with opposite ones, has one T still, and in every set of units that adds up to
// nothing each line has T = 0. So each line is replaced by the leading singular pairs
// of its T, as few as carry almost all of it, and lines with none disappear. The same
// holds for gelu, and for relu with gates of any length; without a gate T is Σ d.
// Where opposite gates were found, signs of gates mean nothing: quadratic forms make
// up for turned ones. The result depends on what the units compute, not on their
// order, and not on the other network. Blocks of more than 65,536 units stay as they are.
func Rejoined(b Block) (out Block, joined int) {
	out, _ = b.rejoined()
	return out, b.Units - out.Units
}

// rejoined also tells which of b's units each unit is, −1 where it was made; nil where
// all stayed as they are.
func (b Block) rejoined() (out Block, from []int32) {
	out = b
	if b.Units <= mostJoined {
		atScale, atAny := b.lines()
		if from = out.put(b, atScale, false); out.Units < b.Units {
			_, atAny = out.lines()
		}
		from = through(from, out.put(out, atAny, true))
	}
	out.Compass = b.compass()
	return out, from
}

// through is where units are from by two steps, either of which may be nil.
func through(first, second []int32) []int32 {
	if first == nil || second == nil {
		return append(first, second...)
	}
	for i, u := range second {
		if u >= 0 {
			second[i] = first[u]
		}
	}
	return second
}

// put replaces lines of units of b. Where homogeneous is set gates count by their
// length, and only lines whose units work against each other are replaced. It tells which
// of b's each unit is, −1 where it was made; nil where none were replaced.
func (out *Block) put(b Block, lines []line, homogeneous bool) (from []int32) {
	if len(lines) == b.Units {
		return nil
	}
	first, down := make([]float32, 0, len(lines)*b.Hidden), make([]float32, 0, len(lines)*b.Hidden)
	var up []float32
	if b.gated() {
		up = make([]float32, 0, cap(first))
	}
	turned := b.Turned
	for _, l := range lines {
		if len(l.units) == 1 || homogeneous && !b.opposed(l) {
			for _, u := range l.units {
				p := b.alone(u)
				first, up, down = append(first, b.row(&b.First[0], u)...), append(up, p.up...), append(down, p.down...)
				from = append(from, int32(u))
			}
			continue
		}
		gate := b.lead(l)
		turned = turned || l.turned()
		for _, p := range b.pairs(l, homogeneous) {
			first, up, down = append(first, gate...), append(up, p.up...), append(down, p.down...)
			from = append(from, -1)
		}
	}
	n := len(first) / b.Hidden
	*out = Ungated(first, down, n, b.Hidden)
	if b.gated() {
		*out = Gated(first, up, down, n, b.Hidden)
	}
	out.Turned = turned
	return from
}

// pair is what a unit reads besides its gate, and what it writes.
type pair struct{ up, down []float32 }

func (b *Block) alone(u int) pair {
	if !b.gated() {
		return pair{nil, b.row(&b.Second[0], u)}
	}
	return pair{b.row(&b.Second[0], u), b.row(&b.Second[1], u)}
}

// lead is the mean gate row of a line, pointing where most of it points.
func (b *Block) lead(l line) []float32 {
	sum := make([]float64, b.Hidden)
	way := 0.0
	for i, u := range l.units {
		way += float64(l.sign[i] * b.weight(u))
		for k, v := range b.row(&b.First[0], u) {
			sum[k] += float64(l.sign[i] * float64(v))
		}
	}
	return narrow(sum, math.Copysign(1/float64(len(l.units)), way))
}

// weight is how much a unit may write.
func (b *Block) weight(u int) float64 {
	p := b.alone(u)
	w := dense.Norm(p.down)
	if p.up != nil {
		w *= dense.Norm(p.up)
	}
	return w
}

// pairs are the leading pairs of a line.
func (b *Block) pairs(l line, homogeneous bool) (out []pair) {
	j := b.joint(l, homogeneous)
	if b.gated() {
		return j.leading()
	}
	if j.nothing() {
		return nil
	}
	sum := make([]float64, b.Hidden)
	for _, row := range j.down {
		for k, v := range row {
			sum[k] += v
		}
	}
	return []pair{{nil, narrow(sum, 1)}}
}

// against is the share of what units of one direction might write, by squares, of
// which only less is left where they work against each other.
const against = 0.5

// opposed tells whether units whose gates lie on one line, of any length, undo each
// other in part.
func (b *Block) opposed(l line) bool {
	j := b.joint(l, true)
	return j.squares() < against*j.parts
}

// compass is Σ (g·u)d + (g·d)u + (u·d)g over all units: a contraction of the
// quadratic form that the layer computes.
func (b *Block) compass() []float32 {
	sum := make([]float64, b.Hidden)
	add := func(by float64, row []float64) {
		for k, v := range row {
			sum[k] += float64(by * v)
		}
	}
	var g, d, w []float64
	for u := range b.Units {
		p := b.alone(u)
		g, d = widen(g, b.row(&b.First[0], u)), widen(d, p.down)
		if p.up == nil { // a linear form: the vector that it maps the others to
			add(dense.Dot64(g, d), d)
			continue
		}
		w = widen(w, p.up)
		add(dense.Dot64(g, w), d)
		add(dense.Dot64(g, d), w)
		add(dense.Dot64(w, d), g)
	}
	return narrow(sum, 1)
}
