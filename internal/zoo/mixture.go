package zoo

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Mixture lists the tensors of a language model of many experts, each expert's matrices
// stored by themselves as its publishers do.
type Mixture struct {
	Layers, Hidden, Heads, KVHeads, HeadDim, Experts, Width, Shared, Vocab int
}

// Huge is a mixture of 397 billion parameters.
var Huge = Mixture{Layers: 60, Hidden: 4096, Heads: 64, KVHeads: 2, HeadDim: 256, Experts: 512, Width: 1024, Shared: 1024, Vocab: 248320}

// Specs lists the tensors in the order of the layers, and the metadata that goes with
// them.
func (x Mixture) Specs() ([]Spec, tensor.Metadata) {
	h, n := int64(x.Hidden), int64(x.Width)
	q, kv := int64(x.Heads*x.HeadDim), int64(x.KVHeads*x.HeadDim)
	out := []Spec{{"model.embed_tokens.weight", []int64{int64(x.Vocab), h}}}
	for l := range x.Layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		out = append(out,
			Spec{p + "input_layernorm.weight", []int64{h}},
			Spec{p + "self_attn.q_proj.weight", []int64{q, h}},
			Spec{p + "self_attn.k_proj.weight", []int64{kv, h}},
			Spec{p + "self_attn.v_proj.weight", []int64{kv, h}},
			Spec{p + "self_attn.o_proj.weight", []int64{h, q}},
			Spec{p + "post_attention_layernorm.weight", []int64{h}},
			Spec{p + "mlp.gate.weight", []int64{int64(x.Experts), h}},
			Spec{p + "mlp.shared_expert.gate_proj.weight", []int64{int64(x.Shared), h}},
			Spec{p + "mlp.shared_expert.up_proj.weight", []int64{int64(x.Shared), h}},
			Spec{p + "mlp.shared_expert.down_proj.weight", []int64{h, int64(x.Shared)}})
		for e := range x.Experts {
			p := fmt.Sprintf("%smlp.experts.%d.", p, e)
			out = append(out,
				Spec{p + "gate_proj.weight", []int64{n, h}},
				Spec{p + "up_proj.weight", []int64{n, h}},
				Spec{p + "down_proj.weight", []int64{h, n}})
		}
	}
	out = append(out, Spec{"model.norm.weight", []int64{h}}, Spec{"lm_head.weight", []int64{int64(x.Vocab), h}})
	return out, tensor.Metadata{
		"config.model_type": "qwen3_moe", "config.num_attention_heads": int64(x.Heads),
		"config.num_key_value_heads": int64(x.KVHeads), "config.head_dim": int64(x.HeadDim),
	}
}
