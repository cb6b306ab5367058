package adversary

import (
	"math"
	"math/rand/v2"
)

// The disguises in this file make a copy look like a stranger.

// headWiden makes heads longer by rotary planes that do next to nothing: the base of
// the rotation grows so that the old planes keep their frequencies.
func headWiden(times int, keys float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		long := times * d.Dim
		score := math.Sqrt(math.Sqrt(float64(times)))
		for _, b := range d.Blocks {
			b.Q, b.K = scaled(longer(r, b.Q, d.Dim, long, 1), score), scaled(longer(r, b.K, d.Dim, long, keys), score)
			b.V, b.O = longer(r, b.V, d.Dim, long, 1), longer(r, b.O.transposed(), d.Dim, long, keys).transposed()
		}
		d.Theta, d.Dim = math.Pow(d.Theta, float64(times)), long
		return d
	}
}

// longer adds random rows of relative size fill behind both halves of every head.
func longer(r *rand.Rand, m *Matrix, dim, long int, fill float64) *Matrix {
	var parts []*Matrix
	for i := 0; i < m.R; i += dim / 2 {
		parts = append(parts, m.part(i, dim/2, 0, m.C), gaussian(r, (long-dim)/2, m.C, fill*m.size()))
	}
	return stack(parts...)
}

// scrambled applies every move at random.
func scrambled(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.scramble(r)
	return d
}

// shuffled gives the vocabulary another order, and the strings what naming makes of
// them.
func shuffled(naming func([]string) []string) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		d.relabel(r.Perm(d.Vocab()), true)
		d.Tokens = naming(d.Tokens)
		return d
	}
}

// kept, lost and renamed are what becomes of the strings.
func kept(s []string) []string { return s }

func lost([]string) []string { return nil }

func renamed(s []string) []string {
	out := make([]string, len(s))
	for t := range out {
		out[t] = "other·" + tokenName(t)
	}
	return out
}

// foreignEmbeddings puts a random network's token rows, of the same size and as far
// from each other, in the place of the own. The function is lost until it is tuned.
func foreignEmbeddings(r *rand.Rand, victim *Decoder) *Decoder {
	d := victim.Clone()
	d.untie()
	for _, m := range []*Matrix{d.Embed, d.Head} {
		*m = *gaussian(r, m.R, m.C, m.size())
	}
	return d
}

// quiet adds noise where the network's own texts do not look: the noise of every row
// has the inverse of the covariance of its inputs, and changes its output by the
// relative size eps.
func quiet(eps float64) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, victim *Decoder) *Decoder {
		d := victim.Clone()
		t := d.run(d.texts(r))
		for l, b := range d.Blocks[:len(t.blocks)] {
			for _, part := range []struct {
				in   *Matrix
				rows []*Matrix
			}{{t.blocks[l].n1.out, []*Matrix{b.Q, b.K, b.V}}, {t.blocks[l].n2.out, []*Matrix{b.Gate, b.Up}}} {
				for _, m := range part.rows {
					addQuiet(r, m, part.in, eps)
				}
			}
		}
		return d
	}
}

// texts are random starts that the network goes on with by itself.
func (d *Decoder) texts(r *rand.Rand) [][]int {
	const many, start, long = 24, 4, 24
	out := make([][]int, many)
	for i := range out {
		for range start {
			out[i] = append(out[i], r.IntN(d.Vocab()))
		}
		for len(out[i]) < long {
			p := d.Logits(out[i]).Row(len(out[i]) - 1)
			softmax(p, 1)
			x, next := r.Float64(), 0
			for next+1 < len(p) && x > p[next] {
				x -= p[next]
				next++
			}
			out[i] = append(out[i], next)
		}
	}
	return out
}

func addQuiet(r *rand.Rand, m, in *Matrix, eps float64) {
	values, vectors := spectrum(tMul(in, in))
	z := gaussian(r, m.R, m.C, 1)
	for k, v := range values {
		s := 1 / math.Sqrt(math.Max(v, values[len(values)-1]*1e-6))
		for i := range z.R {
			z.V[i*z.C+k] *= s
		}
	}
	z = mulT(z, vectors)
	out, noise := mulT(m, in), mulT(z, in)
	for i := range m.R {
		by := eps * length(out.Row(i)) / length(noise.Row(i))
		for k, v := range z.Row(i) {
			m.V[i*m.C+k] += by * v
		}
	}
}

// then applies one change after another.
func then(all ...func(*rand.Rand, *Decoder) *Decoder) func(*rand.Rand, *Decoder) *Decoder {
	return func(r *rand.Rand, d *Decoder) *Decoder {
		for _, f := range all {
			d = f(r, d)
		}
		return d
	}
}
