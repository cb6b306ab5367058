package roles

import "github.com/weightprint/weightprint/formats/tensor"

// dimensions fills the tower's numbers from shapes, and from the metadata
// where shapes cannot tell.
func (b *builder) dimensions(t *Tower) {
	t.Hidden = b.hidden
	for _, l := range t.Layers {
		for _, e := range l.MLPs() {
			if t.Hidden == 0 && e.Up != nil {
				t.Hidden = e.Up.Cols
			}
		}
		if t.Hidden == 0 && l.Q != nil {
			t.Hidden = l.Q.Cols
		}
	}
	t.Heads, t.KVHeads, t.HeadDim = b.shape.heads, b.shape.kvHeads, b.shape.headDim
	for _, l := range t.Layers {
		if l.Q != nil && l.V != nil {
			b.headDimensions(t, l)
			return
		}
	}
}

// headDimensions takes the numbers of heads from one layer.
func (b *builder) headDimensions(t *Tower, l *Layer) {
	if b.low(l) { // MLA: values have a size of their own
		if v := b.shape.vDim; v > 0 && l.V.Rows%v == 0 {
			t.HeadDim, t.KVHeads = v, l.V.Rows/v
		}
		return
	}
	whole := t.HeadDim > 0 && l.Q.Rows%t.HeadDim == 0 && l.V.Rows%t.HeadDim == 0
	switch {
	case whole: // also where heads were cut and the configuration was not
		t.Heads = l.Q.Rows / t.HeadDim
	case t.Heads > 0 && l.Q.Rows%t.Heads == 0:
		t.HeadDim = l.Q.Rows / t.Heads
	}
	if t.HeadDim > 0 && l.V.Rows%t.HeadDim == 0 {
		t.KVHeads = l.V.Rows / t.HeadDim
	}
}

func (b *builder) low(l *Layer) bool { return l.Other("attn.kv_a") != nil }

// rotation says how positions enter and how much of each head they turn.
func (b *builder) rotation(t *Tower) {
	t.Rotary = b.fam.rotary
	if on, declared := b.meta.Bool("config.alibi"); declared && on {
		t.Rotary = NoRotary
	}
	if kind, _ := b.meta.String("config.position_embedding_type"); kind == "nope" {
		t.Rotary = NoRotary
	}
	if t.Permuted && t.Rotary == Interleaved {
		t.Rotary = Half
	}
	for _, l := range t.Layers {
		if b.low(l) { // the rotated rows are apart from Q and K
			t.Rotary = NoRotary
		}
	}
	share := partialRotary(b.meta, b.found.kind)
	if share == 0 {
		share = b.fam.partial
	}
	if t.Rotary != NoRotary {
		t.RotaryBase = rotaryBase(b.meta, b.found.kind)
	}
	switch {
	case t.Rotary == NoRotary:
	case b.shape.rotated > 0 && (t.HeadDim == 0 || b.shape.rotated <= t.HeadDim):
		t.RotaryDim = b.shape.rotated
	case share > 0:
		t.RotaryDim = int(share * float64(t.HeadDim))
	default:
		t.RotaryDim = t.HeadDim
	}
}

// outside places what stands outside the layers, if it fits the width.
func (b *builder) outside(t *Tower) {
	t.Embedding, t.Positions, t.Head = b.outer(t, partEmbedding), b.outer(t, partPositions), b.outer(t, partHead)
	if types := b.outer(t, partTypes); types != nil {
		b.net.Generic = append(b.net.Generic, types)
	}
	for _, p := range []part{partFinalNorm, partEmbeddingNorm} {
		v := b.outerVector(t, outer{p, false})
		if p == partFinalNorm {
			t.FinalNorm = v
		} else if v != nil {
			b.net.Vectors = append(b.net.Vectors, v)
		}
		if bias := b.outerVector(t, outer{p, true}); bias != nil {
			b.net.Vectors = append(b.net.Vectors, bias)
		}
	}
	if x := b.found.outside[outer{partTable, false}]; x != nil {
		b.table(x)
	}
}

// outer views a matrix outside the layers. A table of positions may have a
// leading axis of one.
func (b *builder) outer(t *Tower, p part) *Matrix {
	x := b.found.outside[outer{p, false}]
	if x != nil && len(x.Shape) == 2 && isKernel(x.Name) && int(x.Shape[0]) == t.Hidden {
		return b.outerMatrix(x, p, newMatrix(b.role(-1, place{part: p}, -1), x).transpose())
	}
	if x == nil || len(x.Shape) < 2 || len(x.Shape) > 3 || int(x.Shape[len(x.Shape)-1]) != t.Hidden || len(x.Shape) == 3 && x.Shape[0] != 1 {
		return nil
	}
	m := newMatrix(b.role(-1, place{part: p}, -1), x)
	if len(x.Shape) == 3 {
		m.Rows, m.Cols = int(x.Shape[1]), t.Hidden
	}
	return b.outerMatrix(x, p, m)
}

// outerMatrix takes a matrix outside the layers, with its bias.
func (b *builder) outerMatrix(x *tensor.Tensor, p part, m *Matrix) *Matrix {
	role := m.Role
	b.used[x] = true
	b.assign(x, role)
	if bias := b.found.outside[outer{p, true}]; bias != nil {
		b.used[bias] = true
		b.assign(bias, role+".bias")
		m.Bias = newVector(role+".bias", bias)
	}
	return m
}

// outerVector views a gain or bias of the residual stream outside the layers.
func (b *builder) outerVector(t *Tower, at outer) *Vector {
	x := b.found.outside[at]
	if x == nil || len(x.Shape) != 1 || int(x.Shape[0]) != t.Hidden {
		return nil
	}
	b.used[x] = true
	role := b.role(-1, place{part: at.part}, -1)
	if at.bias {
		role += ".bias"
	}
	b.assign(x, role)
	v := newVector(role, x)
	if !at.bias {
		v.Plus = b.plus()
	}
	return v
}
