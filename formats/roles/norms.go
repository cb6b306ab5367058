package roles

// isNorm tells the parts that are gains of norms.
func isNorm(p part) bool {
	switch p {
	case partAttnNorm, partMLPNorm, partAfterNorm, partAttnPost, partMLPPost, partQNorm, partKNorm, partQANorm, partKVANorm, partEmbeddingNorm, partFinalNorm:
		return true
	}
	return false
}

// norms places the norms of a layer. One name means different things in
// different architectures: a norm "after attention" acts on what attention
// adds where there are norms of both kinds, and otherwise stands before the
// MLP; in post-norm networks the first norm is the one that the MLP reads.
func (b *builder) norms(l *Layer) {
	at := b.found.layers[l.Index]
	move := func(from, to part) {
		for _, bias := range []bool{false, true} {
			x, y := slot{place{part: from}, -1, bias}, slot{place{part: to}, -1, bias}
			if at[x] != nil && at[y] == nil {
				at[y] = at[x]
				delete(at, x)
			}
		}
	}
	has := func(p part) bool { return at[slot{place{part: p}, -1, false}] != nil }
	switch {
	case b.fam.postNorm && has(partAttnNorm):
		move(partAfterNorm, partMLPPost)
		move(partMLPNorm, partMLPPost)
		move(partAttnNorm, partMLPNorm)
	case has(partAfterNorm) && !has(partMLPNorm) && !b.found.names["post_feedforward_layernorm"] && !b.found.names["post_ffw_norm"]:
		move(partAfterNorm, partMLPNorm)
	}
	norm := func(p part) *Vector {
		v := b.vector(l.Index, place{part: p}, -1, false)
		if bias := b.vector(l.Index, place{part: p}, -1, true); bias != nil {
			l.add(partNames[p]+".bias", nil, bias)
		}
		return v
	}
	l.QNorm, l.KNorm = norm(partQNorm), norm(partKNorm)
	l.AttnNorm, l.MLPNorm = norm(partAttnNorm), norm(partMLPNorm)
	sandwich := has(partAfterNorm) || has(partMLPPost) && l.AttnNorm == nil
	if l.MLPNorm == nil && !sandwich { // attention and MLP side by side read the same norm
		l.MLPNorm = l.AttnNorm
	}
}

// hasNormBias tells whether a norm before attention carries a bias, which
// only a LayerNorm has.
func (b *builder) hasNormBias() bool {
	for _, l := range b.found.layers {
		for _, p := range []part{partAttnNorm, partMLPNorm, partAfterNorm} {
			if l[slot{place{part: p}, -1, true}] != nil {
				return true
			}
		}
	}
	return false
}

// hasNorm tells whether a layer has the gain of a norm at all: of norms without any
// nothing shows of which kind they are.
func (b *builder) hasNorm() bool {
	for _, l := range b.found.layers {
		for _, p := range []part{partAttnNorm, partMLPNorm, partAfterNorm, partAttnPost, partMLPPost} {
			if l[slot{place{part: p}, -1, false}] != nil {
				return true
			}
		}
	}
	return false
}

// width finds the size of the residual stream from the norms of the first
// layers, or as declared.
func (b *builder) width() int {
	for _, i := range b.numbers() {
		for _, p := range []part{partAttnNorm, partMLPNorm, partAfterNorm, partMLPPost} {
			if t := b.found.layers[i][slot{place{part: p}, -1, false}]; t != nil && len(t.Shape) == 1 {
				return int(t.Shape[0])
			}
		}
	}
	if t := b.found.outside[outer{partEmbedding, false}]; t != nil && len(t.Shape) == 2 {
		if b.shape.hidden == 0 || b.shape.hidden != int(t.Shape[1]) {
			return int(t.Shape[1])
		}
	}
	return b.shape.hidden
}
