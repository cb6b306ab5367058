package zoo

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Disguise rewrites a network of Random's or Net's making in place, so that it
// computes what it did before with other numbers. What a model does not have
// is left out.
type Disguise struct {
	Name  string
	Apply func(r *rand.Rand, m *Model)
}

// Disguises lists the disguises, each on its own.
var Disguises = []Disguise{
	{"MLP units permuted", MLPPermute},
	{"signs flipped", FlipSigns},
	{"up scaled against down", ScaleUpDown},
	{"gains folded", func(_ *rand.Rand, m *Model) { FoldGains(m) }},
	{"residual stream permuted", PermuteResidual},
	{"residual stream rotated", RotateResidual},
	{"heads permuted", PermuteHeads},
	{"values and outputs mixed", MixVO},
	{"query and key planes turned", TurnQK},
	{"gains rescaled", RescaleGains},
}

// DisguiseAll applies every disguise, one after the other.
func DisguiseAll(r *rand.Rand, m *Model) {
	for _, d := range Disguises {
		d.Apply(r, m)
	}
}

// MLPPermute gives the hidden units of every MLP another order: the oldest
// symmetry of layered networks (Hecht-Nielsen 1990).
func MLPPermute(r *rand.Rand, m *Model) {
	m.eachMLP(func(gate, up, down dense) {
		p := permutation(r, up.rows)
		gate.left(0, p)
		up.left(0, p)
		down.right(0, p.transposed())
	})
}

// FlipSigns changes the sign of random pairs of an up row and its down column,
// of value channels and their output columns, and of dimensions of the residual
// stream, which an RMS norm treats alike (Chen, Lu, Hecht-Nielsen 1993).
func FlipSigns(r *rand.Rand, m *Model) {
	m.eachMLP(func(_, up, down dense) {
		s := signs(r, up.rows)
		up.left(0, s)
		down.right(0, s)
	})
	m.mixHeads(func(d int) (square, square) { s := signs(r, d); return s, s })
	m.turnResidual(signs(r, m.hidden()))
}

// ScaleUpDown multiplies rows of up and divides the columns of down by the same
// random numbers (Neyshabur, Salakhutdinov, Srebro 2015).
func ScaleUpDown(r *rand.Rand, m *Model) {
	m.eachMLP(func(_, up, down dense) {
		s := diagonal(up.rows, func(int) float64 { return math.Exp(r.NormFloat64()) })
		up.left(0, s)
		down.right(0, s.inverted())
	})
}

// FoldGains multiplies the gain of every norm into the columns of the matrices
// that read its output and leaves ones. A head tied to the embedding becomes a
// matrix of its own. SliceGPT (Ashkboos et al. 2024) does so before it rotates.
func FoldGains(m *Model) {
	m.untie()
	for _, f := range m.reads() {
		gain := m.Values(f.norm)
		if gain == nil {
			continue
		}
		g := diagonal(len(gain), func(k int) float64 { return float64(gain[k]) })
		for _, name := range f.readers {
			m.dense(name).right(0, g)
		}
		for k := range gain {
			gain[k] = 1
		}
	}
}

// RescaleGains multiplies the gain of every norm by random numbers and divides
// the columns of the matrices that read its output by them.
func RescaleGains(r *rand.Rand, m *Model) {
	m.untie()
	for _, f := range m.reads() {
		gain := m.Values(f.norm)
		if gain == nil {
			continue
		}
		s := diagonal(len(gain), func(int) float64 { return math.Exp(0.5 * r.NormFloat64()) })
		for k := range gain {
			gain[k] = float32(float64(gain[k]) * s.v[k*s.n+k])
		}
		for _, name := range f.readers {
			m.dense(name).right(0, s.inverted())
		}
	}
}

// PutOnGains gives every norm of b the gains of a and divides the columns of the matrices
// that read its output accordingly.
func PutOnGains(a, b *Model) {
	b.untie()
	for _, f := range b.reads() {
		gain, other := b.Values(f.norm), a.Values(f.norm)
		if len(gain) == 0 || len(gain) != len(other) {
			continue
		}
		s := diagonal(len(gain), func(k int) float64 { return float64(gain[k]) / float64(other[k]) })
		copy(gain, other)
		for _, name := range f.readers {
			b.dense(name).right(0, s)
		}
	}
}

// PermuteResidual gives the dimensions of the residual stream another order,
// gains included.
func PermuteResidual(r *rand.Rand, m *Model) {
	p := permutation(r, m.hidden())
	m.turnResidual(p)
	for _, f := range m.reads() {
		if gain := m.Values(f.norm); gain != nil {
			dense{gain, 1, len(gain)}.right(0, p)
		}
	}
}

// RotateResidual folds the gains and turns the residual stream by a random
// orthogonal matrix, which RMS norms without gains let through: QuaRot (Ashkboos
// et al. 2024) does so to quantise.
func RotateResidual(r *rand.Rand, m *Model) {
	FoldGains(m)
	m.turnResidual(orthogonal(r, m.hidden()))
}

// PermuteHeads gives the key-value heads another order, and the query heads of
// each of them.
func PermuteHeads(r *rand.Rand, m *Model) {
	heads, kv, d := m.headNumbers()
	if kv == 0 {
		return
	}
	for l := range m.layers() {
		groups := permutation(r, kv)
		within := permutation(r, heads/kv)
		small, large := groups.blownUp(d), groups.times(within).blownUp(d)
		m.attention(l, "k").left(0, small)
		m.attention(l, "v").left(0, small)
		m.attention(l, "q").left(0, large)
		m.attention(l, "o").right(0, large.transposed())
	}
}

// MixVO multiplies the value rows of every key-value head by a random invertible
// matrix, and the output columns of its query heads by the inverse, which the
// attention weights, being numbers, let through.
func MixVO(r *rand.Rand, m *Model) {
	m.mixHeads(func(d int) (square, square) {
		x, y := orthogonal(r, d), orthogonal(r, d)
		s := diagonal(d, func(int) float64 { return math.Exp(0.5 * r.NormFloat64()) })
		return x.mul(s).mul(y), y.transposed().mul(s.inverted()).mul(x.transposed())
	})
}

// TurnQK turns every rotary plane of queries and keys by a random angle common
// to both, and scales the two against each other. Rotations of a plane commute,
// so those of the positions (Su et al. 2021) let it through.
func TurnQK(r *rand.Rand, m *Model) {
	heads, kv, d := m.headNumbers()
	for l := range m.layers() {
		for g := range kv {
			keys, queries := planes(r, d)
			m.attention(l, "k").left(g*d, keys)
			for h := range heads / kv {
				m.attention(l, "q").left((g*heads/kv+h)*d, queries)
			}
		}
	}
}

// mixHeads changes the basis of the value channels of every key-value head: to
// multiplies value rows, back the output columns.
func (m *Model) mixHeads(draw func(d int) (to, back square)) {
	heads, kv, d := m.headNumbers()
	for l := range m.layers() {
		for g := range kv {
			to, back := draw(d)
			m.attention(l, "v").left(g*d, to)
			for h := range heads / kv {
				m.attention(l, "o").right((g*heads/kv+h)*d, back)
			}
		}
	}
}

// turnResidual writes the residual stream x as xᵀ·T, T orthogonal.
func (m *Model) turnResidual(t square) {
	m.untie()
	m.dense("model.embed_tokens.weight").right(0, t)
	for _, f := range m.reads() {
		for _, name := range f.readers {
			m.dense(name).right(0, t)
		}
	}
	for l := range m.layers() {
		m.attention(l, "o").left(0, t.transposed())
		m.dense(layerName(l, "mlp.down_proj")).left(0, t.transposed())
	}
}

// untie gives the network a head of its own, a copy of its embedding.
func (m *Model) untie() {
	if m.byName["lm_head.weight"] == nil {
		e := m.byName["model.embed_tokens.weight"]
		m.Add("lm_head.weight", append([]float32(nil), m.Values(e.Name)...), e.Shape...)
	}
}

// normReaders is a norm and the matrices that read its output.
type normReaders struct {
	norm    string
	readers []string
}

func (m *Model) reads() []normReaders {
	all := []normReaders{{"model.norm.weight", []string{"lm_head.weight"}}}
	for l := range m.layers() {
		all = append(all,
			normReaders{layerName(l, "input_layernorm"), []string{layerName(l, "self_attn.q_proj"), layerName(l, "self_attn.k_proj"), layerName(l, "self_attn.v_proj")}},
			normReaders{layerName(l, "post_attention_layernorm"), []string{layerName(l, "mlp.gate_proj"), layerName(l, "mlp.up_proj")}})
	}
	return all
}

func layerName(l int, part string) string { return fmt.Sprintf("model.layers.%d.%s.weight", l, part) }

func (m *Model) layers() (n int) {
	for m.byName[layerName(n, "mlp.up_proj")] != nil {
		n++
	}
	return n
}

func (m *Model) hidden() int { return m.dense("model.embed_tokens.weight").cols }

// headNumbers are zero for networks without attention.
func (m *Model) headNumbers() (heads, kv, d int) {
	heads, _ = m.Meta.Int("config.num_attention_heads")
	kv, _ = m.Meta.Int("config.num_key_value_heads")
	d, _ = m.Meta.Int("config.head_dim")
	return heads, kv, d
}

func (m *Model) attention(l int, part string) dense {
	return m.dense(layerName(l, "self_attn."+part+"_proj"))
}

func (m *Model) eachMLP(f func(gate, up, down dense)) {
	for l := range m.layers() {
		f(m.dense(layerName(l, "mlp.gate_proj")), m.dense(layerName(l, "mlp.up_proj")), m.dense(layerName(l, "mlp.down_proj")))
	}
}

// dense views a matrix for editing; it is empty where the model has none.
func (m *Model) dense(name string) dense {
	t := m.byName[name]
	if t == nil {
		return dense{}
	}
	return dense{m.Values(name), int(t.Shape[0]), int(t.Shape[1])}
}
