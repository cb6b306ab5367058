package zoo

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Specs lists the tensors of a Llama-like network of a shape, and the metadata
// that goes with them.
func (s Shape) Specs() ([]Spec, tensor.Metadata) {
	h, n := int64(s.Hidden), int64(s.Width)
	q, kv := int64(s.Heads*s.HeadDim), int64(s.KVHeads*s.HeadDim)
	out := []Spec{{"model.embed_tokens.weight", []int64{int64(s.Vocab), h}}}
	for l := range s.Layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		out = append(out,
			Spec{p + "input_layernorm.weight", []int64{h}},
			Spec{p + "self_attn.q_proj.weight", []int64{q, h}},
			Spec{p + "self_attn.k_proj.weight", []int64{kv, h}},
			Spec{p + "self_attn.v_proj.weight", []int64{kv, h}},
			Spec{p + "self_attn.o_proj.weight", []int64{h, q}},
			Spec{p + "post_attention_layernorm.weight", []int64{h}},
			Spec{p + "mlp.gate_proj.weight", []int64{n, h}},
			Spec{p + "mlp.up_proj.weight", []int64{n, h}},
			Spec{p + "mlp.down_proj.weight", []int64{h, n}})
	}
	out = append(out, Spec{"model.norm.weight", []int64{h}})
	if s.Untied {
		out = append(out, Spec{"lm_head.weight", []int64{int64(s.Vocab), h}})
	}
	return out, tensor.Metadata{
		"config.model_type": "llama", "config.num_attention_heads": int64(s.Heads),
		"config.num_key_value_heads": int64(s.KVHeads), "config.head_dim": int64(s.HeadDim),
	}
}
