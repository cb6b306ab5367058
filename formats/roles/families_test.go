package roles_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

const hidden, wide, vocab = 32, 48, 64

// family writes the tensors of two layers under the names of one family. %d
// stands for the layer.
var families = []struct {
	name    string
	tensors map[string][]int64
	gated   bool
	head    bool
	experts int
}{
	{"llama (HF)", map[string][]int64{
		"model.embed_tokens.weight": {vocab, hidden}, "model.norm.weight": {hidden}, "lm_head.weight": {vocab, hidden},
		"model.layers.%d.input_layernorm.weight": {hidden}, "model.layers.%d.post_attention_layernorm.weight": {hidden},
		"model.layers.%d.self_attn.q_proj.weight": {hidden, hidden}, "model.layers.%d.self_attn.k_proj.weight": {hidden / 2, hidden}, "model.layers.%d.self_attn.v_proj.weight": {hidden / 2, hidden}, "model.layers.%d.self_attn.o_proj.weight": {hidden, hidden},
		"model.layers.%d.mlp.gate_proj.weight": {wide, hidden}, "model.layers.%d.mlp.up_proj.weight": {wide, hidden}, "model.layers.%d.mlp.down_proj.weight": {hidden, wide},
	}, true, true, 1},
	{"llama (GGUF)", map[string][]int64{
		"token_embd.weight": {vocab, hidden}, "output_norm.weight": {hidden}, "output.weight": {vocab, hidden},
		"blk.%d.attn_norm.weight": {hidden}, "blk.%d.ffn_norm.weight": {hidden},
		"blk.%d.attn_q.weight": {hidden, hidden}, "blk.%d.attn_k.weight": {hidden / 2, hidden}, "blk.%d.attn_v.weight": {hidden / 2, hidden}, "blk.%d.attn_output.weight": {hidden, hidden},
		"blk.%d.ffn_gate.weight": {wide, hidden}, "blk.%d.ffn_up.weight": {wide, hidden}, "blk.%d.ffn_down.weight": {hidden, wide},
	}, true, true, 1},
	{"phi3", map[string][]int64{
		"model.embed_tokens.weight": {vocab, hidden}, "model.norm.weight": {hidden}, "lm_head.weight": {vocab, hidden},
		"model.layers.%d.input_layernorm.weight": {hidden}, "model.layers.%d.post_attention_layernorm.weight": {hidden},
		"model.layers.%d.self_attn.qkv_proj.weight": {3 * hidden, hidden}, "model.layers.%d.self_attn.o_proj.weight": {hidden, hidden},
		"model.layers.%d.mlp.gate_up_proj.weight": {2 * wide, hidden}, "model.layers.%d.mlp.down_proj.weight": {hidden, wide},
	}, true, true, 1},
	{"mixtral", map[string][]int64{
		"model.embed_tokens.weight": {vocab, hidden}, "model.norm.weight": {hidden}, "lm_head.weight": {vocab, hidden},
		"model.layers.%d.input_layernorm.weight": {hidden}, "model.layers.%d.post_attention_layernorm.weight": {hidden},
		"model.layers.%d.self_attn.q_proj.weight": {hidden, hidden}, "model.layers.%d.self_attn.k_proj.weight": {hidden, hidden}, "model.layers.%d.self_attn.v_proj.weight": {hidden, hidden}, "model.layers.%d.self_attn.o_proj.weight": {hidden, hidden},
		"model.layers.%d.block_sparse_moe.gate.weight":         {2, hidden},
		"model.layers.%d.block_sparse_moe.experts.0.w1.weight": {wide, hidden}, "model.layers.%d.block_sparse_moe.experts.0.w3.weight": {wide, hidden}, "model.layers.%d.block_sparse_moe.experts.0.w2.weight": {hidden, wide},
		"model.layers.%d.block_sparse_moe.experts.1.w1.weight": {wide, hidden}, "model.layers.%d.block_sparse_moe.experts.1.w3.weight": {wide, hidden}, "model.layers.%d.block_sparse_moe.experts.1.w2.weight": {hidden, wide},
	}, true, true, 2},
	{"bert", map[string][]int64{
		"bert.embeddings.word_embeddings.weight": {vocab, hidden}, "bert.embeddings.position_embeddings.weight": {16, hidden},
		"bert.encoder.layer.%d.attention.self.query.weight": {hidden, hidden}, "bert.encoder.layer.%d.attention.self.key.weight": {hidden, hidden}, "bert.encoder.layer.%d.attention.self.value.weight": {hidden, hidden}, "bert.encoder.layer.%d.attention.output.dense.weight": {hidden, hidden},
		"bert.encoder.layer.%d.intermediate.dense.weight": {wide, hidden}, "bert.encoder.layer.%d.output.dense.weight": {hidden, wide},
	}, false, false, 1},
	{"gpt2", map[string][]int64{
		"wte.weight": {vocab, hidden}, "wpe.weight": {16, hidden}, "ln_f.weight": {hidden},
		"h.%d.ln_1.weight": {hidden}, "h.%d.ln_2.weight": {hidden},
		"h.%d.attn.c_attn.weight": {hidden, 3 * hidden}, "h.%d.attn.c_proj.weight": {hidden, hidden},
		"h.%d.attn.c_attn.bias": {3 * hidden}, "h.%d.mlp.c_fc.bias": {wide}, "h.%d.mlp.c_fc.weight": {hidden, wide}, "h.%d.mlp.c_proj.weight": {wide, hidden},
	}, false, false, 1},
	{"vit", map[string][]int64{
		"vit.embeddings.position_embeddings":                    {1, 17, hidden},
		"vit.encoder.layer.%d.attention.attention.query.weight": {hidden, hidden}, "vit.encoder.layer.%d.attention.attention.key.weight": {hidden, hidden}, "vit.encoder.layer.%d.attention.attention.value.weight": {hidden, hidden}, "vit.encoder.layer.%d.attention.output.dense.weight": {hidden, hidden},
		"vit.encoder.layer.%d.intermediate.dense.weight": {wide, hidden}, "vit.encoder.layer.%d.output.dense.weight": {hidden, wide},
	}, false, false, 1},
}

func TestFamiliesMap(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			m := zoo.New()
			m.Meta["config.num_attention_heads"] = int64(4)
			for name, shape := range f.tensors {
				n := int64(1)
				for _, d := range shape {
					n *= d
				}
				for l := range 2 {
					if !strings.Contains(name, "%d") {
						if l == 0 {
							m.Add(name, make([]float32, n), shape...)
						}
						continue
					}
					m.Add(fmt.Sprintf(name, l), make([]float32, n), shape...)
				}
			}
			net := roles.Map(m)
			require.NotEmpty(t, net.Towers, "%v", net.Warnings)
			tower := net.Towers[0]
			require.Len(t, tower.Layers, 2)
			require.Equal(t, hidden, tower.Hidden)
			require.Equal(t, f.head, tower.Head != nil)
			for _, l := range tower.Layers {
				require.NotNil(t, l.Q)
				require.NotNil(t, l.K)
				require.NotNil(t, l.V)
				require.NotNil(t, l.O)
				require.Equal(t, hidden, l.Q.Cols)
				require.Equal(t, l.K.Rows, l.V.Rows)
				require.Len(t, l.Experts, f.experts)
				for _, e := range l.Experts {
					require.Equal(t, f.gated, e.Gate != nil)
					require.Equal(t, wide, e.Up.Rows)
					require.Equal(t, hidden, e.Up.Cols)
					require.Equal(t, hidden, e.Down.Rows)
					require.Equal(t, wide, e.Down.Cols)
				}
			}
			for _, g := range net.Generic {
				require.Less(t, g.Rows, 16, "%s is no axis", g.Role)
			}
		})
	}
}

// A network of no known family still gives matrices to compare.
func TestGenericNetwork(t *testing.T) {
	m := zoo.New()
	m.Add("conv.weight", make([]float32, 16*3*3*3), 16, 3, 3, 3)
	m.Add("fc.weight", make([]float32, 20*64), 20, 64)
	m.Add("fc.bias", make([]float32, 20), 20)
	net := roles.Map(m)
	require.Empty(t, net.Towers)
	require.Len(t, net.Generic, 2)
	require.Equal(t, 27, net.Generic[0].Cols)
}
