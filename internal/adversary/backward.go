package adversary

import "math"

// backward returns the gradient of a loss of which slope is the derivative by the
// scores, and inner, where it is set, that by the stream after block l.
func (d *Decoder) backward(t *trace, slope *Matrix, inner func(l int) *Matrix) *Decoder {
	g := d.zeros()
	head := g.Head
	if head == nil {
		head = g.Embed
	}
	head.plus(tMul(slope, t.last.out), 1)
	dx := t.last.back(mul(slope, d.head()), d.Gain, g.Gain)
	for l := len(t.blocks) - 1; l >= 0; l-- {
		if inner != nil {
			dx.plus(inner(l), 1)
		}
		d.backBlock(l, t, dx, g.Blocks[l])
	}
	i := 0
	for _, text := range t.texts {
		for _, token := range text {
			for k, v := range dx.Row(i) {
				g.Embed.V[token*d.Hidden()+k] += v
			}
			i++
		}
	}
	return g
}

// backBlock takes the gradient dx through a block, in place.
func (d *Decoder) backBlock(l int, t *trace, dx *Matrix, g *Block) {
	b, p := d.Blocks[l], &t.blocks[l]
	g.Down.plus(tMul(dx, p.acts), 1)
	da := mul(dx, b.Down)
	dg, du := NewMatrix(da.R, da.C), NewMatrix(da.R, da.C)
	for i, a := range da.V {
		q := sigmoid(p.g.V[i])
		du.V[i] = a * p.g.V[i] * q
		dg.V[i] = a * p.u.V[i] * q * (1 + p.g.V[i]*(1-q))
	}
	g.Gate.plus(tMul(dg, p.n2.out), 1)
	g.Up.plus(tMul(du, p.n2.out), 1)
	dx.plus(p.n2.back(mul(dg, b.Gate).plus(mul(du, b.Up), 1), b.Mid, g.Mid), 1)

	g.O.plus(tMul(dx, p.mixed), 1)
	dq, dk, dv := d.backAttention(p, mul(dx, b.O), len(t.texts))
	g.Q.plus(tMul(dq, p.n1.out), 1)
	g.K.plus(tMul(dk, p.n1.out), 1)
	g.V.plus(tMul(dv, p.n1.out), 1)
	dx.plus(p.n1.back(mul(dq, b.Q).plus(mul(dk, b.K), 1).plus(mul(dv, b.V), 1), b.In, g.In), 1)
}

func (d *Decoder) backAttention(p *passed, dm *Matrix, texts int) (dq, dk, dv *Matrix) {
	dq, dk, dv = NewMatrix(p.q.R, p.q.C), NewMatrix(p.k.R, p.k.C), NewMatrix(p.v.R, p.v.C)
	long := dm.R / texts
	for s := range texts {
		for h, w := range p.weights[s] {
			at, kv := h*d.Dim, d.group(h)*d.Dim
			dh := dm.part(s*long, long, at, d.Dim)
			dv.add(s*long, kv, tMul(w, dh))
			dw := mulT(dh, p.v.part(s*long, long, kv, d.Dim))
			for i := range dw.R {
				row, weights := dw.Row(i), w.Row(i)
				mean := dot(row, weights)
				for k := range row {
					row[k] = weights[k] * (row[k] - mean) / math.Sqrt(float64(d.Dim))
				}
			}
			dq.add(s*long, at, mul(dw, p.k.part(s*long, long, kv, d.Dim)))
			dk.add(s*long, kv, tMul(dw, p.q.part(s*long, long, at, d.Dim)))
		}
	}
	d.rotate(dq, d.Heads, long, -1)
	d.rotate(dk, d.KV, long, -1)
	return dq, dk, dv
}

// back takes a gradient through a norm and adds that of the gain.
func (n normed) back(d *Matrix, gain, dgain []float64) *Matrix {
	out := NewMatrix(d.R, d.C)
	for i := range d.R {
		row, unit, to := d.Row(i), n.unit.Row(i), out.Row(i)
		along := 0.0
		for k, v := range row {
			dgain[k] += v * unit[k]
			to[k] = v * gain[k]
			along += to[k] * unit[k]
		}
		for k := range to {
			to[k] = (to[k] - unit[k]*along/float64(d.C)) / n.size[i]
		}
	}
	return out
}

// zeros has the shape of the network and no values.
func (d *Decoder) zeros() *Decoder {
	c := d.Clone()
	c.visit(func(_ string, _, _ int, v []float64) { clear(v) })
	return c
}
