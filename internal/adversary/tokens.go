package adversary

import (
	"math"

	"github.com/weightprint/weightprint/internal/linalg"
)

// Whoever shows a file also chooses the strings of its tokens. The attackers in this
// file move strings to other rows, or to rows that no text uses.

// relabelUnits gives the strings another order in which chosen pairs of units look
// alike on the token rows. The network itself is as it was but for that order.
func relabelUnits(own, victim *Decoder) *Decoder {
	o, v := own.folded(), victim.folded()
	x, y := centred(v.Embed.Clone()), centred(o.Embed.Clone())
	all, layers := viewsOfAll(o, v, x, y), span(0, len(o.Blocks))
	best, most := own.Clone(), -1.0
	for _, k := range []int{1, 3} {
		p := matchTokens(sides(all, aim(all, layers, k)))
		d := own.Clone()
		d.relabel(p, false)
		if n := Measure(victim, d).Anchored; n > most {
			best, most = d, n
		}
	}
	return best
}

// matchTokens orders the own tokens, columns of y, after those of x, columns too:
// the sum of products is largest, and what lags behind counts more in a second pass.
func matchTokens(x, y *Matrix) []int {
	p := assign(tMul(x, y))
	moved := y.pickColumns(p)
	weighted := x.Clone().each(func(i, _ int, v float64) float64 {
		return v * math.Max(0.05, 1.2-dot(x.Row(i), moved.Row(i)))
	})
	return assign(tMul(weighted, y))
}

// relabelGram gives the strings another order in which the products among token rows
// resemble the victim's. The correlation grows with |Xᵀ·P·Y|² over orders P: a convex
// function, so that each step of Frank and Wolfe is a whole assignment and none loses
// (fast approximate quadratic assignment, Vogelstein et al. 2015). It starts from the
// order that honest strings have, and from that of the sizes of the rows.
func relabelGram(own, victim *Decoder) *Decoder {
	const turns = 8
	x, y := centred(victim.Embed.Clone()), centred(own.Embed.Clone())
	best, most := span(0, y.R), -2.0
	for _, p := range [][]int{span(0, y.R), bySize(x, y)} {
		for range turns {
			moved := y.pickRows(p)
			if c := correlation(mulT(x, x).V, mulT(moved, moved).V); c > most {
				best, most = p, c
			}
			p = assign(mulT(mul(x, tMul(x, moved)), y))
		}
	}
	d := own.Clone()
	d.relabel(best, false)
	return d
}

// bySize orders rows of y as the rows of x of the same rank in length.
func bySize(x, y *Matrix) []int {
	lengths := func(m *Matrix) []int {
		out := make([]float64, m.R)
		for i := range out {
			out[i] = length(m.Row(i))
		}
		return largest(out, len(out))
	}
	p := make([]int, y.R)
	from := lengths(y)
	for rank, t := range lengths(x) {
		p[t] = from[rank]
	}
	return p
}

// plantStrings renames all own tokens and gives the victim's strings to further rows
// that no text uses. These rows are free: a linear map of the victim's embeddings, so
// chosen that as many units of both sides as can be look alike on them.
func plantStrings(own, victim *Decoder) *Decoder {
	v, o := victim.folded(), own.folded()
	root, inverse := roots(tMul(centred(v.Embed.Clone()), centred(v.Embed.Clone())))
	for _, b := range v.Blocks { // lengths and angles as they are on token rows
		b.Gate, b.Up = mul(b.Gate, root), mul(b.Up, root)
	}
	best := bestMap(o, v, linearMap, 1, 2, 4)
	d := own.Clone()
	d.idleTokens(mul(v.Embed, mul(inverse, best)), victim.Tokens)
	return d
}

// plantRotated does so with a rotation, which leaves the products among the rows as
// the victim has them.
func plantRotated(own, victim *Decoder) *Decoder {
	best := bestMap(own.folded(), victim.folded(), bring, 1)
	d := own.Clone()
	d.idleTokens(mul(victim.Embed, best), victim.Tokens)
	return d
}

// bestMap is the map of the own stream, among those that fit makes, under which most
// units agree. Rooms are numbers of pairs to aim at, in widths of the stream.
func bestMap(own, victim *Decoder, fit func(x, y *Matrix) *Matrix, rooms ...float64) *Matrix {
	all, layers := viewsOfAll(own, victim, nil, nil), span(0, len(own.Blocks))
	best, most := identity(own.Hidden()), -1
	for _, widths := range rooms {
		room := int(widths * float64(own.Hidden()))
		start := fit(sides(all, aim(all, layers, min(max(1, room/len(layers)), own.Blocks[0].Gate.R))))
		if t, n := climb(all, start, room, fit); n > most {
			best, most = t, n
		}
	}
	return best
}

// roots are the square root of a positive matrix and its inverse.
func roots(m *Matrix) (root, inverse *Matrix) {
	values, vectors := spectrum(m)
	power := func(e float64) *Matrix {
		by := make([]float64, len(values))
		for k, v := range values {
			by[k] = math.Pow(math.Max(v, 1e-9*values[len(values)-1]), e)
		}
		return mulT(vectors.Clone().columns(by), vectors)
	}
	return power(0.5), power(-0.5)
}

// linearMap is the T with b·Tᵀ ≈ a in least squares, a little ridge against rows
// that nearly depend on each other.
func linearMap(a, b *Matrix) *Matrix {
	const ridge = 1e-3
	s := tMul(b, b).plus(identity(b.C), ridge)
	inverse, err := linalg.Inverse(s.V, s.R)
	if err != nil {
		return identity(b.C)
	}
	return tMul(a, mul(b, &Matrix{s.R, s.R, inverse}))
}

// idleTokens renames the own tokens and adds rows under other strings. The head gives
// the new rows scores so low that no text draws them.
func (d *Decoder) idleTokens(rows *Matrix, strings []string) {
	const least = -30
	d.untie()
	state := d.meanState()
	size := d.Embed.size() / rows.size()
	d.Embed = stack(d.Embed, scaled(rows, size))
	head := NewMatrix(rows.R, d.Hidden()).each(func(_, k int, _ float64) float64 { return least * state[k] / dot(state, state) })
	d.Head = stack(d.Head, head)
	for t := range d.Tokens {
		d.Tokens[t] = "own·" + d.Tokens[t]
	}
	d.Tokens = append(d.Tokens, strings...)
}

// meanState is the mean of what the head reads, over a text of all tokens.
func (d *Decoder) meanState() []float64 {
	const most = 256
	text := span(0, min(most, d.Vocab()))
	last := d.run([][]int{text}).last.out
	mean := make([]float64, last.C)
	for i := range last.R {
		for k, v := range last.Row(i) {
			mean[k] += v / float64(last.R)
		}
	}
	return mean
}
