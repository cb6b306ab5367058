package adversary

import (
	"math"
	"math/rand/v2"
)

// Likeness is how much of each content statistic a pair shows, measured here
// and not by the program under attack.
type Likeness struct {
	Cosine    float64 // mean cosine of units at the same place, over gate and up rows
	Agreement float64 // share of units that are each other's best in the gate view and in the up view alike
	Anchored  float64 // the same on products with the embedding rows of the same strings
	Gram      float64 // correlation of the products among these rows
	Heads     float64 // mean correlation of the sizes of value-output products, head by head in the stored order
}

// Measure compares two networks; what their sizes do not allow is left zero.
func Measure(a, b *Decoder) Likeness {
	a, b = a.folded(), b.folded()
	var l Likeness
	n := min(len(a.Blocks), len(b.Blocks))
	if a.Hidden() == b.Hidden() {
		l.Agreement = meanOver(n, func(i int) float64 { return agreement(a.Blocks[i], b.Blocks[i], nil, nil) })
		if a.Blocks[0].Gate.R == b.Blocks[0].Gate.R {
			l.Cosine = meanOver(n, func(i int) float64 {
				return (cosine(a.Blocks[i].Gate, b.Blocks[i].Gate) + cosine(a.Blocks[i].Up, b.Blocks[i].Up)) / 2
			})
		}
	}
	x, y := sharedRows(a, b)
	if x.R > 1 {
		l.Anchored = meanOver(n, func(i int) float64 { return agreement(a.Blocks[i], b.Blocks[i], x, y) })
		l.Gram = correlation(mulT(x, x).V, mulT(y, y).V)
	}
	if a.Heads == b.Heads && a.Dim == b.Dim {
		l.Heads = meanOver(n, func(i int) float64 { return correlation(a.headSizes(a.Blocks[i]), b.headSizes(b.Blocks[i])) })
	}
	return l
}

func meanOver(n int, f func(i int) float64) (sum float64) {
	for i := range n {
		sum += f(i) / float64(n)
	}
	return sum
}

// agreement is a share of b's units, on raw rows or on products with token rows.
func agreement(a, b *Block, x, y *Matrix) float64 {
	view := func(m, tokens *Matrix) *Matrix {
		if tokens != nil {
			m = mulT(m, tokens)
		}
		return unitRows(m, true)
	}
	gate := mutual(mulT(view(b.Gate, y), view(a.Gate, x)))
	up := mutual(absolute(mulT(view(b.Up, y), view(a.Up, x))))
	k := 0
	for i, j := range gate {
		if j >= 0 && up[i] == j {
			k++
		}
	}
	return float64(k) / float64(len(gate))
}

func absolute(m *Matrix) *Matrix {
	return m.each(func(_, _ int, v float64) float64 { return math.Abs(v) })
}

// cosine is the mean over rows at the same place.
func cosine(x, y *Matrix) (sum float64) {
	x, y = unitRows(x, true), unitRows(y, true)
	return dot(x.V, y.V) / float64(x.R)
}

// sharedRows lists the centred embedding rows of the strings that both have.
func sharedRows(a, b *Decoder) (x, y *Matrix) {
	at := map[string]int{}
	for t, s := range a.Tokens {
		at[s] = t
	}
	var p, q []int
	for t, s := range b.Tokens {
		if i, ok := at[s]; ok {
			p, q = append(p, i), append(q, t)
		}
	}
	return centred(a.Embed.pickRows(p)), centred(b.Embed.pickRows(q))
}

func centred(m *Matrix) *Matrix {
	mean := make([]float64, m.C)
	for i := range m.R {
		for k, v := range m.Row(i) {
			mean[k] += v / float64(m.R)
		}
	}
	return m.each(func(_, k int, v float64) float64 { return v - mean[k] })
}

func correlation(x, y []float64) float64 {
	n := float64(len(x))
	mx, my := 0.0, 0.0
	for i, v := range x {
		mx, my = mx+v/n, my+y[i]/n
	}
	xy, xx, yy := 0.0, 0.0, 0.0
	for i, v := range x {
		xy, xx, yy = xy+(v-mx)*(y[i]-my), xx+(v-mx)*(v-mx), yy+(y[i]-my)*(y[i]-my)
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// headSizes lists, for every query head, the sizes of its rotary planes and of its
// value-output product: numbers that no move alters but the order of heads.
func (d *Decoder) headSizes(b *Block) (out []float64) {
	for h := range d.Heads {
		out = append(out, d.headSignature(b, h)...)
	}
	return out
}

func (d *Decoder) headSignature(b *Block, h int) (out []float64) {
	g, half := d.group(h), d.Dim/2
	for p := range half {
		q := dot(b.Q.Row(h*d.Dim+p), b.Q.Row(h*d.Dim+p)) + dot(b.Q.Row(h*d.Dim+p+half), b.Q.Row(h*d.Dim+p+half))
		k := dot(b.K.Row(g*d.Dim+p), b.K.Row(g*d.Dim+p)) + dot(b.K.Row(g*d.Dim+p+half), b.K.Row(g*d.Dim+p+half))
		out = append(out, math.Log(1e-30+q*k))
	}
	ov := mul(b.O.part(0, b.O.R, h*d.Dim, d.Dim), b.V.part(g*d.Dim, d.Dim, 0, b.V.C))
	return append(out, math.Log(1e-30+dot(ov.V, ov.V)))
}

// Gap is how far the scores of two networks lie apart on random texts, relative to
// how those of the first vary, as a root of mean squares. Tokens are found in the
// rows that they were moved to; further ones do not count.
func Gap(before, after *Decoder) float64 {
	const texts, long = 4, 9
	r := rand.New(rand.NewPCG(9, 9))
	at := make([]int, before.Vocab())
	for t := range at {
		at[t] = after.place(t)
	}
	apart, size := 0.0, 0.0
	for range texts {
		text, moved := make([]int, long), make([]int, long)
		for i := range text {
			text[i] = r.IntN(len(at))
			moved[i] = at[text[i]]
		}
		x, y := before.Logits(text), after.Logits(moved)
		middle := 0.0
		for _, v := range x.V {
			middle += v / float64(len(x.V))
		}
		for i := range x.R {
			for t, p := range at {
				apart += square(x.V[i*x.C+t] - y.V[i*y.C+p])
				size += square(x.V[i*x.C+t] - middle)
			}
		}
	}
	return math.Sqrt(apart / size)
}
