package adversary

import "math"

// Logits runs the network on a text and returns a row of scores after each token.
func (d *Decoder) Logits(text []int) *Matrix {
	return d.run([][]int{text}).logits
}

// trace is what a pass leaves: for every block what entered and what came of it.
type trace struct {
	texts  [][]int
	blocks []passed
	stream []*Matrix // the residual stream before each block, and after the last
	last   normed
	logits *Matrix
}

// passed is one block at work. Rows are tokens.
type passed struct {
	n1, n2     normed
	q, k, v    *Matrix     // after the rotation of q and k
	weights    [][]*Matrix // by text and head
	mixed      *Matrix     // what the heads give o_proj
	mid        *Matrix     // the stream after attention
	g, u, acts *Matrix
}

// normed is the result of a norm with what its derivative needs.
type normed struct {
	unit, out *Matrix
	size      []float64
}

// run takes texts of one length at once.
func (d *Decoder) run(texts [][]int) *trace {
	t := &trace{texts: texts}
	var at []int
	for _, text := range texts {
		at = append(at, text...)
	}
	x := d.Embed.pickRows(at)
	for _, b := range d.Blocks[:len(d.Blocks)-d.Beyond] {
		t.stream = append(t.stream, x)
		p := d.attend(b, x, len(texts))
		p.mid = x.Clone().plus(mulT(p.mixed, b.O), 1)
		p.n2 = rms(p.mid, b.Mid, d.Eps)
		p.g, p.u = mulT(p.n2.out, b.Gate), mulT(p.n2.out, b.Up)
		p.acts = p.g.Clone().each(func(i, k int, g float64) float64 { return g * sigmoid(g) * p.u.V[i*p.u.C+k] })
		x = p.mid.Clone().plus(mulT(p.acts, b.Down), 1)
		t.blocks = append(t.blocks, p)
	}
	t.stream = append(t.stream, x)
	t.last = rms(x, d.Gain, d.Eps)
	t.logits = mulT(t.last.out, d.head())
	return t
}

// head is the matrix that gives the scores.
func (d *Decoder) head() *Matrix {
	if d.Head == nil {
		return d.Embed
	}
	return d.Head
}

// attend runs the attention of a block on so many texts.
func (d *Decoder) attend(b *Block, x *Matrix, texts int) passed {
	p := passed{n1: rms(x, b.In, d.Eps)}
	p.q, p.k, p.v = mulT(p.n1.out, b.Q), mulT(p.n1.out, b.K), mulT(p.n1.out, b.V)
	long := x.R / texts
	d.rotate(p.q, d.Heads, long, 1)
	d.rotate(p.k, d.KV, long, 1)
	p.mixed = NewMatrix(x.R, d.Heads*d.Dim)
	for s := range texts {
		var weights []*Matrix
		for h := range d.Heads {
			w := mulT(p.q.part(s*long, long, h*d.Dim, d.Dim), p.k.part(s*long, long, d.group(h)*d.Dim, d.Dim))
			causal(w, 1/math.Sqrt(float64(d.Dim)))
			p.mixed.put(s*long, h*d.Dim, mul(w, p.v.part(s*long, long, d.group(h)*d.Dim, d.Dim)))
			weights = append(weights, w)
		}
		p.weights = append(p.weights, weights)
	}
	return p
}

// group is the key-value head of a query head.
func (d *Decoder) group(head int) int { return head / (d.Heads / d.KV) }

// rotate turns the planes (p, p+Dim/2) of every head by the position (Su et al.
// 2021), forwards or backwards.
func (d *Decoder) rotate(m *Matrix, heads, long int, way float64) {
	half := d.Dim / 2
	for p := range half {
		frequency := math.Pow(d.Theta, -float64(p)/float64(half))
		for i := range m.R {
			sin, cos := math.Sincos(way * float64(i%long) * frequency)
			row := m.Row(i)
			for h := range heads {
				a, b := row[h*d.Dim+p], row[h*d.Dim+p+half]
				row[h*d.Dim+p], row[h*d.Dim+p+half] = a*cos-b*sin, a*sin+b*cos
			}
		}
	}
}

// causal turns scores into weights over the tokens so far.
func causal(w *Matrix, by float64) {
	for i := range w.R {
		row := w.Row(i)
		clear(row[i+1:])
		softmax(row[:i+1], by)
	}
}

func softmax(x []float64, by float64) {
	most, sum := math.Inf(-1), 0.0
	for _, v := range x {
		most = math.Max(most, v*by)
	}
	for i, v := range x {
		x[i] = math.Exp(v*by - most)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func rms(x *Matrix, gain []float64, eps float64) normed {
	n := normed{x.Clone(), NewMatrix(x.R, x.C), make([]float64, x.R)}
	for i := range x.R {
		row := n.unit.Row(i)
		n.size[i] = math.Sqrt(dot(row, row)/float64(x.C) + eps)
		out := n.out.Row(i)
		for k := range row {
			row[k] /= n.size[i]
			out[k] = row[k] * gain[k]
		}
	}
	return n
}

// part copies rows×cols values from a corner.
func (m *Matrix) part(row, rows, col, cols int) *Matrix {
	out := NewMatrix(rows, cols)
	for i := range rows {
		copy(out.Row(i), m.Row(row + i)[col:col+cols])
	}
	return out
}

// put writes values at a corner.
func (m *Matrix) put(row, col int, v *Matrix) {
	for i := range v.R {
		copy(m.Row(row + i)[col:col+v.C], v.Row(i))
	}
}

// add adds values at a corner.
func (m *Matrix) add(row, col int, v *Matrix) {
	for i := range v.R {
		to := m.Row(row + i)[col : col+v.C]
		for k, x := range v.Row(i) {
			to[k] += x
		}
	}
}
