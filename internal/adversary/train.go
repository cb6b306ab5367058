package adversary

import (
	"math"
	"math/rand/v2"
	"strings"
)

// Corpus is a language: a chain of tokens, a few common and most rare, in which
// what followed a token before tends to follow it again, so that attention has
// something to learn.
type Corpus struct {
	next [][]float64 // by token, sums of the chances of the next
}

// repeating is the chance that what followed before follows again.
const repeating = 0.4

// NewCorpus draws a language of so many tokens.
func NewCorpus(r *rand.Rand, vocab int) *Corpus {
	c := &Corpus{}
	for range vocab {
		row, sum := make([]float64, vocab), 0.0
		for j := range row {
			sum += math.Exp(2*r.NormFloat64()) / float64(4+j)
			row[j] = sum
		}
		c.next = append(c.next, row)
	}
	return c
}

// Text draws a text.
func (c *Corpus) Text(r *rand.Rand, long int) []int {
	text := []int{c.draw(r, r.IntN(len(c.next)))}
	seen := map[int]int{}
	for len(text) < long {
		last := text[len(text)-1]
		next, ok := seen[last]
		if !ok || r.Float64() > repeating {
			next = c.draw(r, last)
		}
		seen[last] = next
		text = append(text, next)
	}
	return text
}

func (c *Corpus) draw(r *rand.Rand, after int) int {
	row := c.next[after]
	x := r.Float64() * row[len(row)-1]
	for j, sum := range row {
		if x < sum {
			return j
		}
	}
	return len(row) - 1
}

// Schooling says how a network is trained.
type Schooling struct {
	Steps, Batch, Long int
	Rate               float64
	Teacher            *Decoder           // whose inner states are imitated, if any
	Master             *Decoder           // whose outputs are learned instead of the next token, if any
	Mask               map[string]*Matrix // zeros that stay, by tensor
}

// Train takes steps of AdamW (Loshchilov, Hutter 2019) on texts that r draws, with
// a rate that rises over a tenth of them and falls as a cosine. It returns the mean
// loss in nats of the last tenth.
func (d *Decoder) Train(r *rand.Rand, c *Corpus, s Schooling) float64 {
	opt := adam{m: d.zeros().slices(), v: d.zeros().slices()}
	late, n := 0.0, 0
	d.mask(s.Mask)
	for step := range s.Steps {
		texts := make([][]int, s.Batch)
		for i := range texts {
			texts[i] = c.Text(r, s.Long)
		}
		loss, g := d.lesson(texts, s)
		opt.step(d.slices(), g.slices(), s.Rate*rise(step, s.Steps))
		d.mask(s.Mask)
		if step >= s.Steps*9/10 {
			late, n = late+loss, n+1
		}
	}
	return late / float64(max(1, n))
}

func rise(step, steps int) float64 {
	x := float64(step+1) / float64(steps)
	return math.Min(1, 10*x) * (0.1 + 0.9*(0.5+0.5*math.Cos(math.Pi*x)))
}

// lesson is the loss on the next tokens of texts and its gradient; with a teacher
// it adds how far the streams after each block lie apart, relative to the teacher's.
func (d *Decoder) lesson(texts [][]int, s Schooling) (float64, *Decoder) {
	t := d.run(texts)
	loss := 0.0
	aims := newAims(t, s.Master)
	slope := t.logits.Clone()
	i, n := 0, float64(len(t.logits.V)/t.logits.C-len(texts))
	for _, text := range texts {
		for j := range text {
			row := slope.Row(i)
			i++
			if j+1 == len(text) {
				clear(row)
				continue
			}
			softmax(row, 1)
			loss -= math.Log(row[text[j+1]]) / n
			aims.miss(row, i-1, text[j+1])
			for k := range row {
				row[k] /= n
			}
		}
	}
	return loss, d.backward(t, slope, imitation(t, s.Teacher))
}

// aims are the chances that a master gives the tokens after each place; nil where the
// next token itself is aimed at.
type aims struct{ chances *Matrix }

func newAims(t *trace, master *Decoder) aims {
	if master == nil {
		return aims{}
	}
	m := master.run(t.texts).logits.Clone()
	for i := range m.R {
		softmax(m.Row(i), 1)
	}
	return aims{m}
}

// miss takes what is aimed at off the chances given at a place.
func (a aims) miss(row []float64, place, next int) {
	if a.chances == nil {
		row[next]--
		return
	}
	for k, v := range a.chances.Row(place) {
		row[k] -= v
	}
}

// imitation is the derivative of the relative squared distances of the streams.
func imitation(t *trace, teacher *Decoder) func(l int) *Matrix {
	if teacher == nil {
		return nil
	}
	want := teacher.run(t.texts).stream
	return func(l int) *Matrix {
		w := want[(l+1)*(len(want)-1)/(len(t.stream)-1)]
		return t.stream[l+1].Clone().plus(w, -1).each(func(_, _ int, v float64) float64 { return 2 * v / dot(w.V, w.V) })
	}
}

// mask sets values to zero where the mask is.
func (d *Decoder) mask(masks map[string]*Matrix) {
	d.visit(func(name string, _, _ int, v []float64) {
		if m := masks[name]; m != nil {
			for i, x := range m.V {
				v[i] *= x
			}
		}
	})
}

// slices lists the values of all tensors.
func (d *Decoder) slices() (out [][]float64) {
	d.visit(func(_ string, _, cols int, v []float64) { out = append(out, v) })
	return out
}

type adam struct {
	m, v [][]float64
	t    int
}

func (a *adam) step(w, g [][]float64, rate float64) {
	const beta1, beta2, decay, longest = 0.9, 0.95, 0.05, 1.0
	a.t++
	c1, c2 := 1-math.Pow(beta1, float64(a.t)), 1-math.Pow(beta2, float64(a.t))
	square := 0.0
	for _, x := range g {
		square += dot(x, x)
	}
	clip := math.Min(1, longest/math.Sqrt(square))
	for i := range w {
		for k, x := range g[i] {
			x *= clip
			a.m[i][k] = beta1*a.m[i][k] + (1-beta1)*x
			a.v[i][k] = beta2*a.v[i][k] + (1-beta2)*x*x
			w[i][k] -= rate * ((a.m[i][k]/c1)/(math.Sqrt(a.v[i][k]/c2)+1e-9) + decay*w[i][k])
		}
	}
}

// Build is the size of a network.
type Build struct {
	Layers, Hidden, Width, Heads, KV, Dim, Vocab int
	Tied                                         bool
}

// New draws a network: Gaussian matrices, gains of one.
func New(r *rand.Rand, b Build) *Decoder {
	in := 1 / math.Sqrt(float64(b.Hidden))
	out := in / math.Sqrt(2*float64(b.Layers))
	d := &Decoder{Heads: b.Heads, KV: b.KV, Dim: b.Dim, Theta: 10000, Eps: 1e-5, Embed: gaussian(r, b.Vocab, b.Hidden, 0.3), Gain: ones(b.Hidden)}
	for range b.Layers {
		d.Blocks = append(d.Blocks, &Block{
			In: ones(b.Hidden), Q: gaussian(r, b.Heads*b.Dim, b.Hidden, in), K: gaussian(r, b.KV*b.Dim, b.Hidden, in), V: gaussian(r, b.KV*b.Dim, b.Hidden, in), O: gaussian(r, b.Hidden, b.Heads*b.Dim, out),
			Mid: ones(b.Hidden), Gate: gaussian(r, b.Width, b.Hidden, in), Up: gaussian(r, b.Width, b.Hidden, in), Down: gaussian(r, b.Hidden, b.Width, out),
		})
	}
	if !b.Tied {
		d.Head = gaussian(r, b.Vocab, b.Hidden, in)
	}
	for t := range b.Vocab {
		d.Tokens = append(d.Tokens, tokenName(t))
	}
	return d
}

// tokenName is a word of its own for every row.
func tokenName(t int) string {
	var s strings.Builder
	for s.WriteByte('t'); t > 0; t /= 20 {
		s.WriteByte("bcdfghjklmnpqrstvwxz"[t%20])
	}
	return s.String() + "o"
}
