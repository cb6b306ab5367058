package zoo

import "math"

// trace holds what a forward pass leaves for the backward pass.
type trace struct {
	normed []scaled // before each block, and before the head
	blocks []activation
	answer []float64 // chances of the next token
}

// scaled is a vector after a norm: gain·x/size.
type scaled struct {
	unit, out []float64 // x/size, and with the gain
	size      float64   // root of the mean square
}

// activation is one gated MLP at work: a = silu(g)·u.
type activation struct{ g, u, a []float64 }

func (n *Net) forward(x int) *trace {
	t := &trace{}
	h := append([]float64(nil), n.params[0].row(x)...)
	for l := range n.layers() {
		b := n.block(l)
		s := norm(h, b[0].w)
		act := activation{b[1].mul(s.out), b[2].mul(s.out), make([]float64, n.Width)}
		for j, g := range act.g {
			act.a[j] = g * sigmoid(g) * act.u[j]
		}
		for k, y := range b[3].mul(act.a) {
			h[k] += y
		}
		t.normed, t.blocks = append(t.normed, s), append(t.blocks, act)
	}
	last := norm(h, n.params[len(n.params)-2].w)
	t.normed = append(t.normed, last)
	t.answer = softmax(n.params[len(n.params)-1].mul(last.out))
	return t
}

// backward adds the gradient of the cross-entropy with want, times weight.
func (n *Net) backward(x int, t *trace, want []float64, weight float64) {
	d := make([]float64, n.Vocab)
	for j := range d {
		d[j] = weight * (t.answer[j] - want[j])
	}
	last := len(n.params) - 1
	dh := n.params[last-1].back(t.normed[len(t.normed)-1], n.params[last].backMul(d, t.normed[len(t.normed)-1].out))
	for l := n.layers() - 1; l >= 0; l-- {
		b, act, s := n.block(l), t.blocks[l], t.normed[l]
		da := b[3].backMul(dh, act.a)
		dg, du := make([]float64, n.Width), make([]float64, n.Width)
		for j, g := range act.g {
			q := sigmoid(g)
			du[j] = da[j] * g * q
			dg[j] = da[j] * act.u[j] * q * (1 + g*(1-q))
		}
		dn := b[1].backMul(dg, s.out)
		for k, v := range b[2].backMul(du, s.out) {
			dn[k] += v
		}
		for k, v := range b[0].back(s, dn) {
			dh[k] += v
		}
	}
	e := n.params[0].g[x*n.Hidden : (x+1)*n.Hidden]
	for k, v := range dh {
		e[k] += v
	}
}

func (p *param) row(i int) []float64 { return p.w[i*p.cols : (i+1)*p.cols] }

// mul is W·x.
func (p *param) mul(x []float64) []float64 {
	out := make([]float64, p.rows)
	for i := range out {
		for k, w := range p.row(i) {
			out[i] += w * x[k]
		}
	}
	return out
}

// backMul adds d·xᵀ to the gradient of W and returns Wᵀ·d.
func (p *param) backMul(d, x []float64) []float64 {
	out := make([]float64, p.cols)
	for i, v := range d {
		g := p.g[i*p.cols : (i+1)*p.cols]
		for k, w := range p.row(i) {
			g[k] += v * x[k]
			out[k] += v * w
		}
	}
	return out
}

// back takes a gradient through a norm of which p is the gain.
func (p *param) back(s scaled, d []float64) []float64 {
	out := make([]float64, len(d))
	dot := 0.0
	for k := range d {
		p.g[k] += d[k] * s.unit[k]
		out[k] = d[k] * p.w[k]
		dot += out[k] * s.unit[k]
	}
	for k := range out {
		out[k] = (out[k] - s.unit[k]*dot/float64(len(d))) / s.size
	}
	return out
}

func norm(x, gain []float64) scaled {
	ss := 1e-6
	for _, v := range x {
		ss += v * v / float64(len(x))
	}
	s := scaled{make([]float64, len(x)), make([]float64, len(x)), math.Sqrt(ss)}
	for k, v := range x {
		s.unit[k] = v / s.size
		s.out[k] = s.unit[k] * gain[k]
	}
	return s
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softmax(x []float64) []float64 {
	most, sum := math.Inf(-1), 0.0
	for _, v := range x {
		most = math.Max(most, v)
	}
	for i, v := range x {
		x[i] = math.Exp(v - most)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
	return x
}
