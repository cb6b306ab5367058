package zoo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// mul is W·x of the matrix of that name, written without the helpers of the
// disguises.
func (m *Model) mul(name string, x []float64) []float64 {
	v := m.Values(name)
	out := make([]float64, len(v)/len(x))
	for i, w := range v {
		out[i/len(x)] += float64(w) * x[i%len(x)]
	}
	return out
}

func (m *Model) normed(name string, x []float64) []float64 {
	gain := make([]float64, len(x))
	for k, g := range m.Values(name) {
		gain[k] = float64(g)
	}
	return norm(x, gain).out
}

// turned applies the rotary position to one head.
func turned(x []float64, position int) []float64 {
	out, half := make([]float64, len(x)), len(x)/2
	for p := range half {
		sin, cos := math.Sincos(float64(position) * math.Pow(1e-4, float64(p)/float64(half)))
		out[p], out[p+half] = x[p]*cos-x[p+half]*sin, x[p]*sin+x[p+half]*cos
	}
	return out
}

// logits runs the network on a text, as its definition says, and returns what it
// answers after the last token. Scores are divided by 100 more than usual: the
// large weights of Random would have each token look at one other alone.
func (m *Model) logits(text []int) []float64 {
	heads, kv, d := m.headNumbers()
	hidden := int(m.byName["model.embed_tokens.weight"].Shape[1])
	stream := make([][]float64, len(text))
	for i, token := range text {
		for _, v := range m.Values("model.embed_tokens.weight")[token*hidden : (token+1)*hidden] {
			stream[i] = append(stream[i], float64(v))
		}
	}
	for l := 0; m.byName[layerName(l, "mlp.up_proj")] != nil; l++ {
		var q, k, v [][]float64
		for _, x := range stream {
			x = m.normed(layerName(l, "input_layernorm"), x)
			q = append(q, m.mul(layerName(l, "self_attn.q_proj"), x))
			k = append(k, m.mul(layerName(l, "self_attn.k_proj"), x))
			v = append(v, m.mul(layerName(l, "self_attn.v_proj"), x))
		}
		for i := range stream {
			mixed := make([]float64, heads*d)
			for h := range heads {
				g := h / (heads / kv)
				var scores []float64
				for j := range i + 1 {
					scores = append(scores, inner(turned(q[i][h*d:(h+1)*d], i), turned(k[j][g*d:(g+1)*d], j))/math.Sqrt(float64(d))/100)
				}
				for j, w := range softmax(scores) {
					for c := range d {
						mixed[h*d+c] += w * v[j][g*d+c]
					}
				}
			}
			for c, y := range m.mul(layerName(l, "self_attn.o_proj"), mixed) {
				stream[i][c] += y
			}
			x := m.normed(layerName(l, "post_attention_layernorm"), stream[i])
			a, up := m.mul(layerName(l, "mlp.gate_proj"), x), m.mul(layerName(l, "mlp.up_proj"), x)
			for j := range a {
				a[j] *= sigmoid(a[j]) * up[j]
			}
			for c, y := range m.mul(layerName(l, "mlp.down_proj"), a) {
				stream[i][c] += y
			}
		}
	}
	head := "lm_head.weight"
	if m.byName[head] == nil {
		head = "model.embed_tokens.weight"
	}
	return m.mul(head, m.normed("model.norm.weight", stream[len(text)-1]))
}

// Every disguise, and all together, change the weights and not what the network
// answers.
func TestDisguisesKeepTheFunction(t *testing.T) {
	text := []int{3, 17, 5, 5, 20, 1}
	for _, untied := range []bool{false, true} {
		r := rand.New(rand.NewPCG(4, 1))
		m := Random(r, Shape{Layers: 2, Hidden: 24, Width: 40, Heads: 4, KVHeads: 2, HeadDim: 8, Vocab: 32, Untied: untied}, Quirks{Gains: 0.4})
		want := m.logits(text)
		size := math.Sqrt(inner(want, want) / float64(len(want)))
		for _, d := range append([]Disguise{{"all", DisguiseAll}}, Disguises...) {
			c := m.Clone()
			d.Apply(r, c)
			require.InDeltaSlice(t, want, c.logits(text), 2e-5*size, d.Name)
			changed := 0
			for _, x := range m.Tensors() {
				for k, v := range m.Values(x.Name) {
					if c.Values(x.Name)[k] != v {
						changed++
					}
				}
			}
			require.Greater(t, changed, 100, d.Name)
		}
		idle := m.Clone()
		Idle(r, idle, 9, 4)
		require.InDeltaSlice(t, want, idle.logits(text), 2e-5*size, "idle directions")
		stranger := Random(r, Shape{Layers: 2, Hidden: 24, Width: 40, Heads: 4, KVHeads: 2, HeadDim: 8, Vocab: 32, Untied: untied}, Quirks{})
		off := 0.0
		for k, y := range stranger.logits(text) {
			off += math.Abs(y-want[k]) / float64(len(want))
		}
		require.Greater(t, off, 0.1*size)
	}
}

// Networks without attention have fewer disguises and keep their function too.
func TestDisguisesOfNet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	n := NewNet(r, 2, 12, 20, 16)
	n.Train(r, NewChain(r, 16), 20, 8, 5e-3)
	m := n.Model()
	DisguiseAll(r, m)
	back := n.Clone()
	for i, name := range []string{"model.embed_tokens.weight", layerName(0, "post_attention_layernorm"), layerName(0, "mlp.gate_proj"), layerName(0, "mlp.up_proj"), layerName(0, "mlp.down_proj"), layerName(1, "post_attention_layernorm"), layerName(1, "mlp.gate_proj"), layerName(1, "mlp.up_proj"), layerName(1, "mlp.down_proj"), "model.norm.weight", "lm_head.weight"} {
		for k, v := range m.Values(name) {
			back.params[i].w[k] = float64(v)
		}
	}
	for x := range 16 {
		require.InDeltaSlice(t, n.forward(x).answer, back.forward(x).answer, 1e-5)
	}
}
