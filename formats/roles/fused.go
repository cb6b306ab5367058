package roles

import "github.com/weightprint/weightprint/formats/tensor"

// isConv1D tells whether the tower's kernels are stored inputs × outputs, as
// GPT-2's are: a bias is as long as the outputs, and says which way round its
// kernel lies.
func (b *builder) isConv1D() bool {
	for _, l := range b.found.layers {
		for _, p := range []part{partQKV, partUp} {
			w, bias := l[slot{place{part: p}, -1, false}], l[slot{place{part: p}, -1, true}]
			if w == nil || bias == nil || len(w.Shape) != 2 || w.Shape[0] == w.Shape[1] {
				continue
			}
			return bias.Len() == w.Shape[1]
		}
	}
	return false
}

// splitQKV cuts a fused query-key-value matrix into its three parts.
func (b *builder) splitQKV(l *Layer, fused *Matrix) {
	q, kv, dim := b.headShape(fused)
	if dim == 0 {
		b.net.Warnings = append(b.net.Warnings, "the fused matrix "+fused.Role+" cannot be split: the number of heads is not declared")
		b.net.Generic = append(b.net.Generic, fused)
		return
	}
	i := l.Index
	names := [3]string{b.role(i, partQ, -1), b.role(i, partK, -1), b.role(i, partV, -1)}
	if b.fam.qkv == qkvPerGroup && !b.gguf {
		per := q / kv
		run := (per + 2) * dim
		l.Q = fused.runs(names[0], 0, per*dim, run, q*dim)
		l.K = fused.runs(names[1], per*dim, dim, run, kv*dim)
		l.V = fused.runs(names[2], (per+1)*dim, dim, run, kv*dim)
	} else {
		l.Q = fused.slice(names[0], 0, q*dim)
		l.K = fused.slice(names[1], q*dim, kv*dim)
		l.V = fused.slice(names[2], (q+kv)*dim, kv*dim)
	}
	for _, m := range []*Matrix{l.Q, l.K, l.V} {
		m.Bias = fused.Bias.like(m)
	}
}

// headShape finds the numbers of query and KV heads and the rows of a head
// from the declared heads and the rows of the fused matrix; dim is 0 when
// they do not fit.
func (b *builder) headShape(fused *Matrix) (q, kv, dim int) {
	q, kv, dim = b.shape.heads, b.shape.kvHeads, b.shape.headDim
	if q == 0 {
		return 0, 0, 0
	}
	if kv == 0 {
		kv = q
	}
	if dim == 0 {
		dim = fused.Rows / (q + 2*kv)
	}
	if (q+2*kv)*dim == fused.Rows && q%kv == 0 {
		return q, kv, dim
	}
	// Families differ in how they declare heads that share one key and value.
	for _, kv := range []int{1, q} {
		if dim := fused.Rows / (q + 2*kv); (q+2*kv)*dim == fused.Rows && dim > 0 {
			return q, kv, dim
		}
	}
	return 0, 0, 0
}

// latent handles low-rank attention (MLA): keys and values are expanded from
// a shared latent vector, whose rows lie per head as key part, value.
func (b *builder) latent(l *Layer) {
	i := l.Index
	for _, p := range []part{partQA, partQB, partKVA} {
		if m := b.matrix(i, place{part: p}, -1); m != nil {
			b.net.Generic = append(b.net.Generic, m)
		}
	}
	kvb := b.matrix(i, place{part: partKVB}, -1)
	if kvb == nil {
		return
	}
	run := b.shape.nope + b.shape.vDim
	if b.shape.vDim == 0 || kvb.Rows%run != 0 {
		b.net.Generic = append(b.net.Generic, kvb)
		return
	}
	heads := kvb.Rows / run
	l.K = kvb.runs(b.role(i, partK, -1), 0, b.shape.nope, run, heads*b.shape.nope)
	l.V = kvb.runs(b.role(i, partV, -1), b.shape.nope, b.shape.vDim, run, heads*b.shape.vDim)
}

// experts builds the feed-forward parts: one when dense, one an expert in a
// mixture whether its tensors are apart or stacked.
func (b *builder) experts(l *Layer) {
	i := l.Index
	byExpert := map[int]bool{}
	for s := range b.found.layers[i] {
		if s.expert >= 0 {
			byExpert[s.expert] = true
		}
	}
	if dense := b.mlp(i, place{}, -1); dense != nil {
		l.Experts = append(l.Experts, dense)
	}
	for e := 0; len(byExpert) > 0; e++ {
		if byExpert[e] {
			if p := b.mlp(i, place{}, e); p != nil {
				l.Experts = append(l.Experts, p)
			}
			delete(byExpert, e)
		}
	}
	b.stacked(l)
	l.Shared = b.mlp(i, place{shared: true}, -1)
}

// mlp builds one feed-forward part; nil if it has no matrices.
func (b *builder) mlp(layer int, at place, expert int) *MLP {
	get := func(p part) *Matrix { at.part = p; return b.matrix(layer, at, expert) }
	p := &MLP{Gate: get(partGate), Up: get(partUp), Down: get(partDown)}
	if fused := get(partGateUp); fused != nil {
		b.splitGateUp(p, fused, layer, expert)
	}
	if p.Gate == nil && p.Up != nil && p.Down != nil && p.Up.Rows == 2*p.Down.Cols {
		b.splitGateUp(p, p.Up, layer, expert) // GGUF keeps Phi-3's fused matrix under the name of "up"
	}
	if p.Gate == nil && p.Up == nil && p.Down == nil {
		return nil
	}
	return p
}

// splitGateUp cuts a fused matrix into gate and up, one after the other or
// row by row.
func (b *builder) splitGateUp(p *MLP, fused *Matrix, layer, expert int) {
	half := fused.Rows / 2
	gate, up := b.role(layer, partGate, expert), b.role(layer, partUp, expert)
	if b.fam.oddEven && !b.gguf {
		p.Gate, p.Up = fused.runs(gate, 0, 1, 2, half), fused.runs(up, 1, 1, 2, half)
	} else {
		p.Gate, p.Up = fused.slice(gate, 0, half), fused.slice(up, half, half)
	}
	p.Gate.Bias, p.Up.Bias = fused.Bias.like(p.Gate), fused.Bias.like(p.Up)
}

// outputsFirst tells whether a tensor's data knows that its rows are outputs
// although its name stands for the transposed form: packed experts.
func outputsFirst(t *tensor.Tensor) bool {
	d, ok := t.Data.(interface{ OutputsFirst() bool })
	return ok && d.OutputsFirst()
}

// stacked cuts tensors whose first dimension counts experts.
func (b *builder) stacked(l *Layer) {
	views := func(p part) []*Matrix {
		for _, transposed := range []bool{false, true} {
			t := b.take(l.Index, slot{place{part: p, stacked: true, transposed: transposed}, -1, false})
			if t == nil || len(t.Shape) != 3 {
				continue
			}
			b.assign(t, b.role(l.Index, p, -1)+"_experts")
			out := make([]*Matrix, t.Shape[0])
			for e := range out {
				rows, cols := t.Shape[1], t.Shape[2]
				m := &Matrix{Role: b.role(l.Index, p, e), Tensor: t, Rows: int(rows), Cols: int(cols), stride: cols, base: int64(e) * rows * cols}
				if transposed && !b.gguf && !outputsFirst(t) {
					m = m.transpose()
				}
				out[e] = m
			}
			return out
		}
		return nil
	}
	gate, up, down, fused := views(partGate), views(partUp), views(partDown), views(partGateUp)
	at := func(ms []*Matrix, e int) *Matrix {
		if e < len(ms) {
			return ms[e]
		}
		return nil
	}
	for e := range max(len(gate), len(up), len(down), len(fused)) {
		p := &MLP{Gate: at(gate, e), Up: at(up, e), Down: at(down, e)}
		if f := at(fused, e); f != nil {
			b.splitGateUp(p, f, l.Index, e)
		}
		l.Experts = append(l.Experts, p)
	}
}
