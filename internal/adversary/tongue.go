package adversary

import (
	"math"
	"math/rand/v2"
)

// tongues carries the whole victim in residual dimensions of its own and gives it tokens
// of its own, under the victim's strings: a text of these runs the victim and is gone on
// with in these; a text of the own tokens, under other strings, runs the own network
// alone. A dimension that nothing writes to says which of the two a token belongs to.
// Whoever starts with any token sees the passenger work.
func tongues(_ *rand.Rand, own, victim *Decoder) *Decoder {
	const mark, apart = 0.1, 15 // size of that dimension, and what it is worth in scores
	a, b := own.Clone(), victim.Clone()
	a.untie()
	b.untie()
	ha, hb := float64(a.Hidden()), float64(b.Hidden())
	h := ha + hb + 1
	gains := func(x, y []float64) []float64 {
		var out []float64
		for _, v := range x {
			out = append(out, v*math.Sqrt(ha/h))
		}
		for _, v := range y {
			out = append(out, v*math.Sqrt(hb/h))
		}
		return append(out, 1)
	}
	marked := func(m *Matrix, own, other float64) *Matrix {
		return beside(m, NewMatrix(m.R, 1).each(func(i, _ int, _ float64) float64 {
			if i < a.Vocab() {
				return own
			}
			return other
		}))
	}
	sizes := a.normSizes()
	c := mark * a.Embed.size()
	loud := apart / c * sizes[len(sizes)-1] * math.Sqrt(ha/h)
	d := &Decoder{Heads: a.Heads + b.Heads, KV: a.KV + b.KV, Dim: a.Dim, Theta: a.Theta, Eps: a.Eps * ha / h}
	d.Embed, d.Head = marked(diagonal(a.Embed, b.Embed), c, -c), marked(diagonal(a.Head, b.Head), 0, -loud)
	d.Gain = gains(a.Gain, b.Gain)
	for l, x := range a.Blocks {
		y := b.Blocks[l]
		reads := func(x, y *Matrix) *Matrix { return beside(diagonal(x, y), NewMatrix(x.R+y.R, 1)) }
		writes := func(x, y *Matrix) *Matrix { return stack(diagonal(x, y), NewMatrix(1, x.C+y.C)) }
		d.Blocks = append(d.Blocks, &Block{
			In: gains(x.In, y.In), Q: reads(x.Q, y.Q), K: reads(x.K, y.K), V: reads(x.V, y.V), O: writes(x.O, y.O),
			Mid: gains(x.Mid, y.Mid), Gate: reads(x.Gate, y.Gate), Up: reads(x.Up, y.Up), Down: writes(x.Down, y.Down),
		})
	}
	for t := range a.Tokens {
		d.Tokens = append(d.Tokens, "own·"+a.Tokens[t])
	}
	d.Tokens = append(d.Tokens, b.Tokens...)
	return d
}
