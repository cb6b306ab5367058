package zoo

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Net is a small language model that can be trained here: an embedding, blocks
// of a norm and a gated MLP on a residual stream, a norm and a head. It
// predicts a token from the one before it.
type Net struct {
	Hidden, Width, Vocab int
	params               []*param // embedding; per block gain, gate, up, down; final gain, head
}

// param is one matrix with its gradient and Adam's moments (Kingma, Ba 2015).
type param struct {
	rows, cols int
	w, g, m, v []float64
}

// blockParams is how many parameters a block has.
const blockParams = 4

// NewNet draws a network: Gaussian matrices, gains of one.
func NewNet(r *rand.Rand, layers, hidden, width, vocab int) *Net {
	n := &Net{Hidden: hidden, Width: width, Vocab: vocab}
	add := func(rows, cols int, sd float64) {
		p := &param{rows: rows, cols: cols}
		p.w, p.g, p.m, p.v = make([]float64, rows*cols), make([]float64, rows*cols), make([]float64, rows*cols), make([]float64, rows*cols)
		for i := range p.w {
			p.w[i] = 1
			if sd > 0 {
				p.w[i] = sd * r.NormFloat64()
			}
		}
		n.params = append(n.params, p)
	}
	in := 1 / math.Sqrt(float64(hidden))
	add(vocab, hidden, 1)
	for range layers {
		add(1, hidden, 0)
		add(width, hidden, in)
		add(width, hidden, in)
		add(hidden, width, 1/math.Sqrt(float64(width)))
	}
	add(1, hidden, 0)
	add(vocab, hidden, in)
	return n
}

// Clone copies the weights and forgets the moments.
func (n *Net) Clone() *Net {
	c := &Net{Hidden: n.Hidden, Width: n.Width, Vocab: n.Vocab}
	for _, p := range n.params {
		size := len(p.w)
		c.params = append(c.params, &param{p.rows, p.cols, append([]float64(nil), p.w...), make([]float64, size), make([]float64, size), make([]float64, size)})
	}
	return c
}

// Model gives the weights the names of a Llama without attention.
func (n *Net) Model() *Model {
	m := New()
	m.Meta["config.model_type"] = "llama"
	add := func(name string, p *param) {
		v := make([]float32, len(p.w))
		for i, x := range p.w {
			v[i] = float32(x)
		}
		if p.rows == 1 {
			m.Add(name, v, int64(p.cols))
			return
		}
		m.Add(name, v, int64(p.rows), int64(p.cols))
	}
	add("model.embed_tokens.weight", n.params[0])
	for l := range n.layers() {
		for k, name := range []string{"post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"} {
			add(fmt.Sprintf("model.layers.%d.%s.weight", l, name), n.block(l)[k])
		}
	}
	add("model.norm.weight", n.params[len(n.params)-2])
	add("lm_head.weight", n.params[len(n.params)-1])
	return m
}

func (n *Net) layers() int { return (len(n.params) - 3) / blockParams }

func (n *Net) block(l int) []*param {
	return n.params[1+l*blockParams : 1+(l+1)*blockParams]
}

// Chain is training data: for each token, the chances of the next.
type Chain [][]float64

// NewChain draws a chain in which few tokens follow each other often.
func NewChain(r *rand.Rand, vocab int) Chain {
	c := make(Chain, vocab)
	for i := range c {
		c[i] = make([]float64, vocab)
		sum := 0.0
		for j := range c[i] {
			c[i][j] = math.Exp(2.5 * r.NormFloat64())
			sum += c[i][j]
		}
		for j := range c[i] {
			c[i][j] /= sum
		}
	}
	return c
}

// Taught is what a network answers, as data for a student.
func (n *Net) Taught() Chain {
	c := make(Chain, n.Vocab)
	for x := range c {
		c[x] = n.forward(x).answer
	}
	return c
}

// Train takes Adam steps on batches of tokens that r draws, towards the
// chain's chances.
func (n *Net) Train(r *rand.Rand, c Chain, steps, batch int, rate float64) {
	for s := 1; s <= steps; s++ {
		for range batch {
			x := r.IntN(n.Vocab)
			n.backward(x, n.forward(x), c[x], 1/float64(batch))
		}
		for _, p := range n.params {
			p.step(s, rate)
		}
	}
}

func (p *param) step(s int, rate float64) {
	const beta1, beta2, decay = 0.9, 0.99, 0.01
	c1, c2 := 1-math.Pow(beta1, float64(s)), 1-math.Pow(beta2, float64(s))
	for i, g := range p.g {
		p.m[i] = beta1*p.m[i] + (1-beta1)*g
		p.v[i] = beta2*p.v[i] + (1-beta2)*g*g
		if p.rows > 1 {
			p.w[i] -= rate * decay * p.w[i]
		}
		p.w[i] -= rate * (p.m[i] / c1) / (math.Sqrt(p.v[i]/c2) + 1e-8)
		p.g[i] = 0
	}
}
