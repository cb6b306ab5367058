package roles

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// builder turns the tensors found for one tower into views.
type builder struct {
	net   *Network
	fam   family
	gguf  bool
	found *found
	meta  tensor.Metadata
	shape shape
	name  string
	conv  bool             // kernels are stored inputs × outputs (Conv1D)
	left  []*tensor.Tensor // what did not fit
	used  map[*tensor.Tensor]bool
}

// tower builds the tower called name.
func (b *builder) tower(name string) *Tower {
	b.name, b.used = name, map[*tensor.Tensor]bool{}
	b.shape = declaredShape(b.meta, name)
	t := &Tower{Name: name, Rotary: b.fam.rotary, Permuted: b.gguf && b.fam.unpermute, RMSNorm: b.fam.norm == rms}
	b.conv = b.isConv1D()
	for _, i := range slices.Sorted(maps.Keys(b.found.layers)) {
		t.Layers = append(t.Layers, b.layer(i))
	}
	if b.hasNormBias() {
		t.RMSNorm = false
	}
	b.dimensions(t)
	b.surroundings(t)
	b.foldable(t)
	b.leftovers()
	return t
}

// role names a place in this tower.
func (b *builder) role(layer int, p part, expert int) string {
	s := ""
	if b.name != "main" {
		s = b.name + "."
	}
	if layer >= 0 {
		s += fmt.Sprintf("layers.%d.", layer)
	}
	if expert >= 0 {
		return s + fmt.Sprintf("experts.%d.%s", expert, partNames[p][len("mlp."):])
	}
	return s + partNames[p]
}

// take fetches a tensor of a layer and marks it used.
func (b *builder) take(layer int, s slot) *tensor.Tensor {
	t := b.found.layers[layer][s]
	if t != nil {
		b.used[t] = true
	}
	return t
}

// assign records a tensor's role.
func (b *builder) assign(t *tensor.Tensor, role string) {
	b.net.Roles = append(b.net.Roles, Assignment{t, role})
}

// matrix views the tensor at a place, with its bias.
func (b *builder) matrix(layer int, p place, expert int) *Matrix {
	t := b.take(layer, slot{p, expert, false})
	if t == nil {
		return nil
	}
	role := b.role(layer, p.part, expert)
	switch {
	case p.shared:
		role = b.role(layer, p.part, -1) + "_shared"
	case p.cross:
		role = b.role(layer, p.part, -1) + "_cross"
	}
	b.assign(t, role)
	m := newMatrix(role, t)
	if b.conv && len(t.Shape) == 2 {
		m = m.transpose()
	}
	m.Bias = b.vector(layer, p, expert, true)
	return m
}

// vector views a gain or bias at a place.
func (b *builder) vector(layer int, p place, expert int, bias bool) *Vector {
	t := b.take(layer, slot{p, expert, bias})
	if t == nil {
		return nil
	}
	role := b.role(layer, p.part, expert)
	if bias {
		role += ".bias"
	}
	b.assign(t, role)
	v := newVector(role, t)
	if !bias && b.fam.plusOne && !b.gguf {
		v.Plus = 1
	}
	return v
}

// layer builds one layer.
func (b *builder) layer(i int) *Layer {
	l := &Layer{Index: i}
	at := func(p part) *Matrix { return b.matrix(i, place{part: p}, -1) }
	norm := func(p part) *Vector {
		v := b.vector(i, place{part: p}, -1, false)
		b.vector(i, place{part: p}, -1, true)
		return v
	}
	l.Q, l.K, l.V, l.O, l.Router = at(partQ), at(partK), at(partV), at(partO), at(partRouter)
	l.QNorm, l.KNorm = norm(partQNorm), norm(partKNorm)
	l.AttnNorm, l.MLPNorm = norm(partAttnNorm), norm(partMLPNorm)
	after := norm(partAfterNorm)
	sandwich := b.found.names["post_feedforward_layernorm"] || b.found.names["post_ffw_norm"]
	switch {
	case l.MLPNorm != nil || sandwich: // after attention's own output, not before the MLP
	case after != nil:
		l.MLPNorm = after
	default: // attention and MLP side by side read the same norm
		l.MLPNorm = l.AttnNorm
	}
	if fused := at(partQKV); fused != nil {
		b.splitQKV(l, fused)
	}
	b.latent(l)
	b.experts(l)
	return l
}

// foldable points every reader of a norm's output to that norm's gain.
func (b *builder) foldable(t *Tower) {
	set := func(v *Vector, ms ...*Matrix) {
		for _, m := range ms {
			if m != nil && v != nil && m.Cols == v.Len && m.Gain == nil {
				m.Gain = v
			}
		}
	}
	for _, l := range t.Layers {
		set(l.AttnNorm, l.Q, l.K, l.V)
		for _, e := range l.MLPs() {
			set(l.MLPNorm, e.Gate, e.Up)
		}
		set(l.MLPNorm, l.Router)
	}
	set(t.FinalNorm, t.Head)
}

// dimensions fills the tower's numbers from shapes, and from the metadata
// where shapes cannot tell.
func (b *builder) dimensions(t *Tower) {
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
		if l.Q == nil || l.V == nil {
			continue
		}
		if t.HeadDim == 0 && t.Heads > 0 && l.Q.Rows%t.Heads == 0 {
			t.HeadDim = l.Q.Rows / t.Heads
		}
		if b.shape.vDim > 0 && l.V.Rows%b.shape.vDim == 0 { // MLA: values have a size of their own
			t.HeadDim, t.KVHeads = b.shape.vDim, l.V.Rows/b.shape.vDim
		}
		if t.HeadDim > 0 && l.V.Rows%t.HeadDim == 0 {
			t.KVHeads = l.V.Rows / t.HeadDim
		}
		break
	}
}

// surroundings places embeddings, head and final norm, if they fit the width.
func (b *builder) surroundings(t *Tower) {
	matrix := func(p part) *Matrix {
		x := b.found.outside[p]
		if x == nil || len(x.Shape) != 2 || int(x.Shape[1]) != t.Hidden {
			return nil
		}
		b.used[x] = true
		role := b.role(-1, p, -1)
		b.assign(x, role)
		m := newMatrix(role, x)
		if bias := b.found.biases[p]; bias != nil {
			b.used[bias] = true
			b.assign(bias, role+".bias")
			m.Bias = newVector(role+".bias", bias)
		}
		return m
	}
	t.Embedding, t.Positions, t.Head = matrix(partEmbedding), matrix(partPositions), matrix(partHead)
	if x := b.found.outside[partFinalNorm]; x != nil && len(x.Shape) == 1 && int(x.Shape[0]) == t.Hidden {
		b.used[x] = true
		role := b.role(-1, partFinalNorm, -1)
		b.assign(x, role)
		t.FinalNorm = newVector(role, x)
		if b.fam.plusOne && !b.gguf {
			t.FinalNorm.Plus = 1
		}
		if bias := b.found.biases[partFinalNorm]; bias != nil {
			b.used[bias] = true
			b.assign(bias, role+".bias")
			b.net.Vectors = append(b.net.Vectors, newVector(role+".bias", bias))
		}
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

// leftovers hands on what has a known name but found no use.
func (b *builder) leftovers() {
	for _, i := range slices.Sorted(maps.Keys(b.found.layers)) {
		for _, t := range b.found.layers[i] {
			if !b.used[t] {
				b.left = append(b.left, t)
			}
		}
	}
	for _, set := range []map[part]*tensor.Tensor{b.found.outside, b.found.biases} {
		for _, t := range set {
			if !b.used[t] {
				b.left = append(b.left, t)
			}
		}
	}
}
