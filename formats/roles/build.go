package roles

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// builder turns the tensors found for one tower into views.
type builder struct {
	net    *Network
	fam    family
	gguf   bool
	found  *found
	meta   tensor.Metadata
	shape  shape
	hidden int              // width of the residual stream, 0 while unknown
	conv   bool             // kernels are stored inputs × outputs (Conv1D)
	left   []*tensor.Tensor // what did not fit
	used   map[*tensor.Tensor]bool
}

// tower builds the tower.
func (b *builder) tower() *Tower {
	b.used = map[*tensor.Tensor]bool{}
	b.shape = declaredShape(b.meta, b.found.kind)
	b.shapedHeads()
	b.hidden = b.width()
	b.conv = b.conv || b.isConv1D()
	t := &Tower{Name: b.found.name, Permuted: b.fam.unpermute && (b.gguf || b.found.spelt(".wq.")), RMSNorm: b.fam.norm == rms && !b.hasNormBias() && (b.fam.name != "generic" || b.hasNorm())}
	for _, i := range b.numbers() {
		t.Layers = append(t.Layers, b.layer(i))
	}
	b.dimensions(t)
	b.rotation(t)
	b.outside(t)
	b.foldable(t)
	if b.fam.norm == layerNorm || b.hasNormBias() {
		t.Centre()
	}
	b.leftovers()
	return t
}

// numbers lists the layer numbers in order.
func (b *builder) numbers() []int { return slices.Sorted(maps.Keys(b.found.layers)) }

// role names a place in this tower.
func (b *builder) role(layer int, p place, expert int) string {
	s := ""
	if b.found.name != "main" {
		s = b.found.name + "."
	}
	if p.part == partTable {
		return "table"
	}
	if layer >= 0 {
		s += fmt.Sprintf("layers.%d.", layer)
	}
	word := p.word()
	if expert < 0 {
		return s + word
	}
	if part, ok := strings.CutPrefix(word, "mlp."); ok {
		return s + fmt.Sprintf("experts.%d.%s", expert, part)
	}
	return s + fmt.Sprintf("%s.%d", word, expert)
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

// matrix views the tensor at a place, with its bias. Tensors of more than two
// axes keep the last one as columns.
func (b *builder) matrix(layer int, p place, expert int) *Matrix {
	t := b.found.layers[layer][slot{p, expert, false}]
	if t == nil || len(t.Shape) < 2 {
		return nil
	}
	b.used[t] = true
	role := b.role(layer, p, expert)
	b.assign(t, role)
	m := newMatrix(role, t)
	if n := len(t.Shape); n > 2 && t.Shape[n-1] > 0 && !b.byHeads(t, p) {
		m.Cols = int(t.Shape[n-1])
		m.Rows = int(t.Len()) / m.Cols
	}
	if b.conv && len(t.Shape) == 2 || len(t.Shape) == 3 && isKernel(t.Name) {
		m = m.transpose()
	}
	if bias := b.vector(layer, p, expert, true); bias != nil {
		m.Bias = bias
	}
	return m
}

// shapedHeads takes from Flax's kernels what no configuration declares.
func (b *builder) shapedHeads() {
	for _, i := range b.numbers() {
		q, k := b.found.layers[i][slot{place{part: partQ}, -1, false}], b.found.layers[i][slot{place{part: partK}, -1, false}]
		if q == nil || k == nil || b.shape.heads > 0 || !b.byHeads(q, place{part: partQ}) || !b.byHeads(k, place{part: partK}) || max(q.Shape[1], q.Shape[2], k.Shape[1]) > maxDeclared {
			return
		}
		b.shape.heads, b.shape.kvHeads, b.shape.headDim = int(q.Shape[1]), int(k.Shape[1]), int(q.Shape[2])
	}
}

// byHeads tells Flax's kernels of inputs × heads × units, whose first axis alone is that
// of the inputs.
func (b *builder) byHeads(t *tensor.Tensor, p place) bool {
	return len(t.Shape) == 3 && isKernel(t.Name) && p.part != partO
}

// vector views a gain or bias at a place.
func (b *builder) vector(layer int, p place, expert int, bias bool) *Vector {
	t := b.take(layer, slot{p, expert, bias})
	if t == nil {
		return nil
	}
	role := b.role(layer, p, expert)
	if bias {
		role += ".bias"
	}
	b.assign(t, role)
	v := newVector(role, t)
	if !bias && isNorm(p.part) {
		v.Plus = b.plus()
	}
	return v
}

// plus is what the family's files leave out of norm gains.
func (b *builder) plus() float32 {
	if b.fam.plusOne && !b.gguf {
		return 1
	}
	return 0
}

// layer builds one layer.
func (b *builder) layer(i int) *Layer {
	l := &Layer{Index: i}
	at := func(p part) *Matrix { return b.matrix(i, place{part: p}, -1) }
	l.Router = at(partRouter)
	if l.Q = at(partQ); l.Q != nil {
		l.K, l.V = at(partK), at(partV)
	}
	b.norms(l)
	if fused := at(partQKV); fused != nil {
		b.splitQKV(l, fused)
	}
	if b.fam.gatedQ && l.Q != nil {
		b.splitGate(l)
	}
	b.latent(l)
	if l.Q != nil || l.Other(partNames[partQKV]) != nil { // else it is the output of something other than attention
		l.O = at(partO)
	}
	b.experts(l)
	b.others(l)
	return l
}

// others takes what has a known place and none of its own in Layer.
func (b *builder) others(l *Layer) {
	at := b.found.layers[l.Index]
	slots := slices.SortedFunc(maps.Keys(at), func(x, y slot) int {
		return cmp.Or(cmp.Compare(x.place.word(), y.place.word()), cmp.Compare(x.expert, y.expert), compareBool(x.bias, y.bias))
	})
	for _, s := range slots {
		t := at[s]
		switch {
		case b.used[t] || s.place.stacked || s.place.part == partO && !s.place.cross && l.O == nil:
		case s.place.part == partTable:
			b.table(t)
		case t.DType.Kind() == tensor.KindInteger || t.DType == tensor.Opaque || len(t.Shape) == 0:
		case len(t.Shape) > 1 && !s.bias:
			l.add(s.place.word(), b.matrix(l.Index, s.place, s.expert), nil)
		default:
			v := b.vector(l.Index, s.place, s.expert, s.bias)
			l.add(strings.TrimPrefix(v.Role, b.role(l.Index, place{}, -1)), nil, v)
		}
	}
}

// table takes a fixed table, if it has the form of one: a vector, a mask of
// positions by positions, whole numbers. A matrix under such a name stays
// generic, so that no name hides weights.
func (b *builder) table(t *tensor.Tensor) {
	mask := len(t.Shape) == 4 && t.Shape[0] == 1 && t.Shape[1] == 1 && t.Shape[2] == t.Shape[3]
	if mask || len(t.Shape) < 2 || t.DType.Kind() == tensor.KindInteger {
		b.used[t] = true
		b.assign(t, "table")
	}
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
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
		low := l.Other("attn.q_a") != nil || l.Other("attn.kv_a") != nil
		if low {
			set(l.vector("attn.q_a_norm"), l.Q, l.Other("attn.q_rope"))
			set(l.vector("attn.kv_a_norm"), l.K, l.V)
			set(l.AttnNorm, l.Other("attn.q_a"), l.Other("attn.kv_a"), l.Other("attn.k_rope"))
			if l.Other("attn.q_a") == nil {
				set(l.AttnNorm, l.Q, l.Other("attn.q_rope"))
			}
		} else {
			set(l.AttnNorm, l.Q, l.K, l.V)
		}
		for _, e := range l.MLPs() {
			set(l.MLPNorm, e.Gate, e.Up)
		}
		set(l.MLPNorm, l.Router)
	}
	set(t.FinalNorm, t.Head)
}

// leftovers hands on what has a known name but found no use.
func (b *builder) leftovers() {
	for _, l := range b.found.layers {
		for _, t := range l {
			if !b.used[t] {
				b.left = append(b.left, t)
			}
		}
	}
	for _, t := range b.found.outside {
		if !b.used[t] {
			b.left = append(b.left, t)
		}
	}
}
