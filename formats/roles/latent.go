package roles

// latent handles low-rank attention (MLA). Queries may pass through a latent
// vector, keys and values do: kv_a gives the latent vector and one rotated key
// that all heads share, kv_b expands it into each head's key part and value.
// Q and K of the layer are the parts that are not rotated, head by head.
// Source: DeepSeek-V2, https://arxiv.org/abs/2405.04434, section 2.1.
func (b *builder) latent(l *Layer) {
	i := l.Index
	at := func(p part) *Matrix { return b.matrix(i, place{part: p}, -1) }
	kva := at(partKVA)
	if kva == nil {
		return
	}
	s := b.shape
	if s.latent > 0 && s.latent < kva.Rows {
		rope := kva.slice(b.role(i, place{part: partK}, -1)+"_rope", s.latent, kva.Rows-s.latent)
		kva = kva.slice(kva.Role, 0, s.latent)
		rope.Bias, kva.Bias = kva.Bias.like(rope), kva.Bias.like(kva)
		l.add("attn.k_rope", rope, nil)
	}
	l.add(partNames[partKVA], kva, nil)
	if qa := at(partQA); qa != nil {
		l.add(partNames[partQA], qa, nil)
		l.Q = at(partQB)
	}
	b.unrotated(l)
	if kvb := at(partKVB); kvb != nil {
		b.expand(l, kvb)
		return
	}
	l.V = at(partVB) // heads × values × latent
	if kb := at(partKB); kb != nil {
		shape := kb.Tensor.Shape // heads × latent × key
		if len(shape) != 3 {
			l.add(partNames[partKB], kb, nil)
			return
		}
		l.K = kb.blocks(b.role(i, place{part: partK}, -1), int(shape[0]), int(shape[1]), int(shape[2]))
	}
	if l.V != nil {
		l.V.Role = b.role(i, place{part: partV}, -1)
	}
}

// unrotated parts the rotated rows of each query head from the others.
func (b *builder) unrotated(l *Layer) {
	run := b.shape.nope + b.shape.rope
	if l.Q == nil || b.shape.nope == 0 || b.shape.rope == 0 || l.Q.Rows%run != 0 {
		return
	}
	whole, n := l.Q, l.Q.Rows/run
	role := b.role(l.Index, place{part: partQ}, -1)
	l.Q = whole.runs(role, 0, b.shape.nope, run, n*b.shape.nope)
	rope := whole.runs(role+"_rope", b.shape.nope, b.shape.rope, run, n*b.shape.rope)
	l.Q.Bias, rope.Bias = whole.Bias.like(l.Q), whole.Bias.like(rope)
	l.add("attn.q_rope", rope, nil)
}

// expand cuts kv_b into keys and values.
func (b *builder) expand(l *Layer, kvb *Matrix) {
	nope, value := b.shape.nope, b.shape.vDim
	run := nope + value
	if nope == 0 || value == 0 || kvb.Rows%run != 0 {
		l.add(partNames[partKVB], kvb, nil)
		return
	}
	n := kvb.Rows / run
	l.K = kvb.runs(b.role(l.Index, place{part: partK}, -1), 0, nope, run, n*nope)
	l.V = kvb.runs(b.role(l.Index, place{part: partV}, -1), nope, value, run, n*value)
}
