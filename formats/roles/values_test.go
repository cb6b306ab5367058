package roles_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

// tagged makes a matrix of rows × 3 whose row r holds 10·tag[r], +1, +2, and a
// bias that holds the tags.
func tagged(m *zoo.Model, name string, tags []int) {
	w, bias := make([]float32, 3*len(tags)), make([]float32, len(tags))
	for r, tag := range tags {
		for k := range 3 {
			w[3*r+k] = float32(10*tag + k)
		}
		bias[r] = float32(tag)
	}
	m.Add(name+".weight", w, int64(len(tags)), 3)
	m.Add(name+".bias", bias, int64(len(tags)))
}

// tag numbers a row: 1000 for queries, 2000 for keys, 3000 for values, and
// 10 a head.
func tag(part, head, row int) int { return 1000*part + 10*head + row }

// want is the rows of all heads of one part, in order.
func want(part, heads, dim int) (out []float32) {
	for h := range heads {
		for r := range dim {
			for k := range 3 {
				out = append(out, float32(10*tag(part, h, r)+k))
			}
		}
	}
	return out
}

// layouts call row for every row of the fused matrix, in stored order.
var layouts = []struct {
	name, model, tensor string
	kv                  int
	rows                func(row func(part, head, row int), kv int)
}{
	{"contiguous", "phi3", "model.layers.0.self_attn.qkv_proj", 2, contiguous},
	{"contiguous, one KV head", "gpt_bigcode", "transformer.h.0.attn.c_attn", 1, contiguous},
	{"head by head (NeoX)", "gpt_neox", "gpt_neox.layers.0.attention.query_key_value", 4, perGroup},
	{"head by head (BLOOM)", "bloom", "h.0.self_attention.query_key_value", 4, perGroup},
	{"group by group (Falcon 40B)", "falcon", "transformer.h.0.self_attention.query_key_value", 2, perGroup},
	{"one group (Falcon 7B)", "falcon", "transformer.h.0.self_attention.query_key_value", 1, perGroup},
	{"group by group (InternLM2)", "internlm2", "model.layers.0.attention.wqkv", 2, perGroup},
	{"shards of query, value, key (CodeGen)", "codegen", "transformer.h.0.attn.qkv_proj", 4, func(row func(int, int, int), _ int) {
		for shard := range 4 {
			for _, part := range []int{1, 3, 2} {
				for r := range 2 {
					row(part, shard, r)
				}
			}
		}
	}},
}

func contiguous(row func(part, head, row int), kv int) {
	for part, heads := range []int{4, kv, kv} {
		for h := range heads {
			row(part+1, h, 0)
			row(part+1, h, 1)
		}
	}
}

func perGroup(row func(part, head, row int), kv int) {
	for g := range kv {
		for h := range 4 / kv {
			row(1, g*4/kv+h, 0)
			row(1, g*4/kv+h, 1)
		}
		for _, part := range []int{2, 3} {
			row(part, g, 0)
			row(part, g, 1)
		}
	}
}

// The split of a fused matrix gives each part exactly its rows, and its bias.
func TestFusedQueriesKeysValues(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			m := zoo.New()
			m.Meta["config.model_type"] = l.model
			m.Meta["config.num_attention_heads"] = int64(4)
			if l.kv != 4 && l.model != "gpt_bigcode" {
				m.Meta["config.num_key_value_heads"] = int64(l.kv)
			}
			m.Meta["config.multi_query"] = l.kv == 1
			var tags []int
			l.rows(func(part, head, row int) { tags = append(tags, tag(part, head, row)) }, l.kv)
			require.Len(t, tags, 2*(4+2*l.kv))
			tagged(m, l.tensor, tags)
			net := roles.Map(m)
			require.Empty(t, net.Warnings)
			layer := net.Towers[0].Layers[0]
			for _, x := range []struct {
				part, heads int
				m           *roles.Matrix
			}{{1, 4, layer.Q}, {2, l.kv, layer.K}, {3, l.kv, layer.V}} {
				require.Equal(t, want(x.part, x.heads, 2), gathered(t, x.m), x.m.Role)
				bias, err := x.m.Bias.Read(t.Context())
				require.NoError(t, err)
				for r, b := range bias {
					require.Equal(t, float32(tag(x.part, r/2, r%2)), b)
				}
			}
		})
	}
}

// Low-rank attention gives the same rows from all its spellings.
func TestLatentAttention(t *testing.T) {
	const heads, nope, rope, value, latent = 2, 2, 1, 3, 4
	at := func(head, row, k int) float32 { return float32(100*head + 10*row + k) }
	kvb := make([]float32, 0, heads*(nope+value)*latent)
	kb, vb := make([]float32, heads*latent*nope), []float32{}
	for h := range heads {
		for r := range nope + value {
			for k := range latent {
				kvb = append(kvb, at(h, r, k))
				if r < nope {
					kb[(h*latent+k)*nope+r] = at(h, r, k)
				} else {
					vb = append(vb, at(h, r, k))
				}
			}
		}
	}
	hf, gguf := zoo.New(), zoo.New()
	for k, v := range map[string]any{"model_type": "deepseek_v2", "num_attention_heads": int64(heads), "qk_nope_head_dim": int64(nope), "qk_rope_head_dim": int64(rope), "v_head_dim": int64(value), "kv_lora_rank": int64(latent)} {
		hf.Meta["config."+k] = v
	}
	gguf.Meta["general.architecture"] = "deepseek2"
	for k, v := range map[string]int64{"attention.head_count": heads, "attention.key_length_mla": nope + rope, "attention.key_length": latent + rope, "attention.value_length_mla": value, "rope.dimension_count": rope, "attention.kv_lora_rank": latent} {
		gguf.Meta["deepseek2."+k] = v
	}
	q := make([]float32, heads*(nope+rope)*5)
	for i := range q {
		q[i] = float32(i)
	}
	hf.Add("model.layers.0.self_attn.q_proj.weight", q, heads*(nope+rope), 5)
	hf.Add("model.layers.0.self_attn.kv_a_proj_with_mqa.weight", make([]float32, (latent+rope)*5), latent+rope, 5)
	hf.Add("model.layers.0.self_attn.kv_b_proj.weight", kvb, heads*(nope+value), latent)
	gguf.Add("blk.0.attn_q.weight", q, heads*(nope+rope), 5)
	gguf.Add("blk.0.attn_kv_a_mqa.weight", make([]float32, (latent+rope)*5), latent+rope, 5)
	gguf.Add("blk.0.attn_k_b.weight", kb, heads, latent, nope)
	gguf.Add("blk.0.attn_v_b.weight", vb, heads, value, latent)
	for _, m := range []*zoo.Model{hf, gguf} {
		l := roles.Map(m).Towers[0].Layers[0]
		var keys, values, plain, turned []float32
		for h := range heads {
			keys = append(keys, kvb[h*(nope+value)*latent:(h*(nope+value)+nope)*latent]...)
			values = append(values, kvb[(h*(nope+value)+nope)*latent:(h+1)*(nope+value)*latent]...)
			plain = append(plain, q[h*(nope+rope)*5:(h*(nope+rope)+nope)*5]...)
			turned = append(turned, q[(h*(nope+rope)+nope)*5:(h+1)*(nope+rope)*5]...)
		}
		require.Equal(t, keys, gathered(t, l.K))
		require.Equal(t, values, gathered(t, l.V))
		require.Equal(t, plain, gathered(t, l.Q))
		require.Equal(t, turned, gathered(t, l.Other("attn.q_rope")))
		require.Equal(t, latent, l.Other("attn.kv_a").Rows)
		require.Equal(t, rope, l.Other("attn.k_rope").Rows)
		x := make([]float32, 2*latent) // rows out of order and of different blocks
		require.NoError(t, l.K.Gather(t.Context(), x, []int{3, 0}))
		require.Equal(t, append(append([]float32{}, keys[3*latent:]...), keys[:latent]...), x)
	}
}

// Stacked experts give the same rows whichever way they lie.
func TestStackedExperts(t *testing.T) {
	const experts, width, hidden = 2, 3, 4
	at := func(e, unit, k int, up bool) float32 {
		v := float32(1000*e + 100*unit + k)
		if up {
			return v + 0.5
		}
		return v
	}
	build := func(family, name string, inputsFirst, alternating bool) *zoo.Model {
		m := zoo.New()
		m.Meta["config.model_type"] = family
		fused, down := make([]float32, experts*2*width*hidden), make([]float32, experts*width*hidden)
		bias := make([]float32, experts*2*width)
		for e := range experts {
			for u := range width {
				for _, up := range []bool{false, true} {
					row := u
					if up {
						row += width
					}
					if alternating {
						row = 2 * u
						if up {
							row++
						}
					}
					bias[e*2*width+row] = at(e, u, 0, up)
					for k := range hidden {
						i := (e*2*width+row)*hidden + k
						if inputsFirst {
							i = (e*hidden+k)*2*width + row
						}
						fused[i] = at(e, u, k, up)
					}
				}
			}
		}
		shape, back := []int64{experts, 2 * width, hidden}, []int64{experts, hidden, width}
		if inputsFirst {
			shape, back = []int64{experts, hidden, 2 * width}, []int64{experts, width, hidden}
		}
		m.Add("model.layers.0.input_layernorm.weight", make([]float32, hidden), hidden)
		m.Add(name+"gate_up_proj", fused, shape...)
		m.Add(name+"gate_up_proj_bias", bias, experts, 2*width)
		m.Add(name+"down_proj", down, back...)
		return m
	}
	for _, m := range []*zoo.Model{
		build("llama4", "model.layers.0.feed_forward.experts.", true, false),
		build("qwen3_moe", "model.layers.0.mlp.experts.", false, false),
		build("gpt_oss", "model.layers.0.mlp.experts.", true, true),
		build("gpt_oss", "model.layers.0.mlp.experts.", false, true),
	} {
		l := roles.Map(m).Towers[0].Layers[0]
		require.Len(t, l.Experts, experts)
		for e, x := range l.Experts {
			var gate, up, gateBias, upBias []float32
			for u := range width {
				for k := range hidden {
					gate, up = append(gate, at(e, u, k, false)), append(up, at(e, u, k, true))
				}
				gateBias, upBias = append(gateBias, at(e, u, 0, false)), append(upBias, at(e, u, 0, true))
			}
			require.Equal(t, gate, gathered(t, x.Gate))
			require.Equal(t, up, gathered(t, x.Up))
			for bias, want := range map[*roles.Vector][]float32{x.Gate.Bias: gateBias, x.Up.Bias: upBias} {
				got, err := bias.Read(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			require.Equal(t, hidden, x.Down.Rows)
		}
	}
}
