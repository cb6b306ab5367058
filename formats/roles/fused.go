package roles

// isConv1D tells whether the tower's kernels are stored inputs × outputs, as
// GPT-2's are: a bias is as long as the outputs, and says which way round its
// kernel lies. Where no bias tells, kernels of Flax and Keras do.
func (b *builder) isConv1D() bool {
	for _, i := range b.numbers() {
		l := b.found.layers[i]
		for _, p := range []part{partQKV, partUp} {
			w, bias := l[slot{place{part: p}, -1, false}], l[slot{place{part: p}, -1, true}]
			if w == nil || bias == nil || len(w.Shape) != 2 || w.Shape[0] == w.Shape[1] {
				continue
			}
			return bias.Len() == w.Shape[1]
		}
	}
	return b.found.kernels
}

// heads is how a fused query-key-value matrix divides into heads.
type heads struct{ q, kv, dim int }

// fits tells whether the numbers are whole and make up the rows.
func (h heads) fits(rows int) bool {
	return h.q > 0 && h.kv > 0 && h.dim > 0 && h.q%h.kv == 0 && (h.q+2*h.kv)*h.dim == rows
}

// splitQKV cuts a fused query-key-value matrix into its three parts.
func (b *builder) splitQKV(l *Layer, fused *Matrix) {
	h, ok := b.headsOf(fused)
	if !ok {
		b.net.Warnings = append(b.net.Warnings, "the fused matrix "+fused.Role+" cannot be split: the number of heads is not declared")
		l.add(partNames[partQKV], fused, nil)
		return
	}
	q, kv, per := h.q*h.dim, h.kv*h.dim, h.q/h.kv
	role := func(p part) string { return b.role(l.Index, place{part: p}, -1) }
	switch layout := b.fam.qkv; {
	case layout == qkvPerGroup && !b.gguf:
		run := (per + 2) * h.dim
		l.Q = fused.runs(role(partQ), 0, per*h.dim, run, q)
		l.K = fused.runs(role(partK), per*h.dim, h.dim, run, kv)
		l.V = fused.runs(role(partV), (per+1)*h.dim, h.dim, run, kv)
	case layout == qkvPerShard && !b.gguf && q%4 == 0:
		local := q / 4
		l.Q = fused.runs(role(partQ), 0, local, 3*local, q)
		l.V = fused.runs(role(partV), local, local, 3*local, q)
		l.K = fused.runs(role(partK), 2*local, local, 3*local, q)
	default:
		l.Q = fused.slice(role(partQ), 0, q)
		l.K = fused.slice(role(partK), q, kv)
		l.V = fused.slice(role(partV), q+kv, kv)
	}
	for _, m := range []*Matrix{l.Q, l.K, l.V} {
		m.Bias = fused.Bias.like(m)
	}
}

// headsOf finds the numbers of query and KV heads and the rows of a head from
// what is declared and the rows of the fused matrix. Where nothing is declared
// and the layout does not depend on it, thirds are queries, keys and values.
func (b *builder) headsOf(fused *Matrix) (heads, bool) {
	s := b.shape
	if s.heads == 0 {
		whole := heads{1, 1, fused.Rows / 3}
		thirds := fused.Rows == 3*fused.Cols || b.fam.name == "conformer" // the first layer's inputs may be of another width
		return whole, (b.fam.qkv == qkvContiguous || b.gguf) && thirds && whole.fits(fused.Rows)
	}
	kvs := []int{s.kvHeads, s.heads, 1} // families differ in how they declare heads that share one key and value
	if s.oneKV {
		kvs = []int{s.kvHeads, 1, s.heads}
	}
	dims := []int{s.headDim, fused.Cols / s.heads}
	for _, dim := range dims {
		for _, kv := range kvs {
			if h := (heads{s.heads, kv, dim}); h.fits(fused.Rows) {
				return h, true
			}
		}
	}
	for _, kv := range kvs {
		if h := (heads{s.heads, kv, fused.Rows / (s.heads + 2*kv)}); h.fits(fused.Rows) {
			return h, true
		}
	}
	return heads{}, false
}

// splitGate parts queries from the gates of the attention's output that lie
// behind each query head.
func (b *builder) splitGate(l *Layer) {
	d, fused := b.shape.headDim, l.Q
	if d == 0 || b.gguf && l.O != nil && l.O.Cols == fused.Rows || fused.Rows != 2*b.shape.heads*d {
		return
	}
	half := fused.Rows / 2
	l.Q = fused.runs(fused.Role, 0, d, 2*d, half)
	gate := fused.runs(fused.Role+"_gate", d, d, 2*d, half)
	l.Q.Bias, gate.Bias = fused.Bias.like(l.Q), fused.Bias.like(gate)
	l.add("attn.q_gate", gate, nil)
}
