package roles

import (
	"slices"
	"strings"
)

// layerRows lists what stands after the layer number, without ".weight" or
// ".bias", for each place. "#" stands for an expert's number. The names are
// those that published checkpoints and the GGUF converter use. No name stands
// in two rows.
var layerRows = []struct {
	place place
	names string
}{
	{place{part: partQ}, `self_attn.q_proj attn_q attention.wq attention.self.query attention.attention.query attention.attn.q
		attention.q_lin attn.q_proj attn.attention.q_proj layer.0.SelfAttention.q attention.query attn.q attention.q_proj attention.self.query_proj
		mixer.q_proj self_attn.linear_q attn1.to_q attn.to_q attn.query self_attn.query_proj self_attn.self.query
		self_attn.longformer_self_attn.query layer.0.LocalSelfAttention.q layer.0.TransientGlobalSelfAttention.q
		MultiHeadDotProductAttention_0.query MultiHeadDotProductAttention_1.query self_attention.query attn.q_einsum`},
	{place{part: partK}, `self_attn.k_proj attn_k attention.wk attention.self.key attention.attention.key attention.attn.k
		attention.k_lin attn.k_proj attn.attention.k_proj layer.0.SelfAttention.k attention.key attn.k attention.k_proj attention.self.key_proj
		mixer.k_proj self_attn.linear_k attn1.to_k attn.to_k attn.key self_attn.key_proj self_attn.self.key
		self_attn.longformer_self_attn.key layer.0.LocalSelfAttention.k layer.0.TransientGlobalSelfAttention.k
		MultiHeadDotProductAttention_0.key MultiHeadDotProductAttention_1.key self_attention.key attn.k_einsum`},
	{place{part: partV}, `self_attn.v_proj attn_v attention.wv attention.self.value attention.attention.value attention.attn.v
		attention.v_lin attn.v_proj attn.attention.v_proj layer.0.SelfAttention.v attention.value attn.v attention.v_proj attention.self.value_proj
		mixer.v_proj self_attn.linear_v attn1.to_v attn.to_v attn.value self_attn.value_proj self_attn.self.value
		self_attn.longformer_self_attn.value layer.0.LocalSelfAttention.v layer.0.TransientGlobalSelfAttention.v
		MultiHeadDotProductAttention_0.value MultiHeadDotProductAttention_1.value self_attention.value attn.v_einsum`},
	{place{part: partO}, `self_attn.o_proj self_attn.out_proj self_attn.dense self_attention.dense attn_output attn_out attention.wo
		attention.output.dense attention.dense attention.attn.o attention.out_lin attn.c_proj attn.out_proj attn.proj
		attn.attention.out_proj layer.0.SelfAttention.o attention.out attn.o_proj attention.o_proj mixer.out_proj attn.Wo attn_o
		mixer.o_proj self_attn.linear_out attn1.to_out.0 attn.to_out.0 attention.out_proj attn.out norm_attn_norm.attn.out_proj
		self_attn.output layer.0.LocalSelfAttention.o layer.0.TransientGlobalSelfAttention.o
		MultiHeadDotProductAttention_0.out MultiHeadDotProductAttention_1.out self_attention.out attn.attn_vec_einsum`},
	{place{part: partQKV}, `self_attn.qkv_proj self_attn.W_pack attn_qkv attn.c_attn attn.Wqkv attn.qkv attention.wqkv attn.qkv_proj
		attention.query_key_value self_attention.query_key_value self_attn.query_key_value self_attn.qkv mixer.Wqkv attn.in_proj
		norm_attn_norm.attn.Wqkv self_attn.linear_q_k_v`},
	{place{part: partGate}, `mlp.gate_proj ffn_gate feed_forward.w1 mlp.w2 layer.1.DenseReluDense.wi_0 layer.2.DenseReluDense.wi_0
		block_sparse_moe.experts.#.w1 mlp.experts.#.gate_proj feed_forward.gate_proj feed_forward.experts.#.gate_proj ffn_gate.# mlp.fc12
		moe.experts.#.w1 ffn.experts.#.w1 feed_forward.experts.#.w1 mlp.experts.#.w1 moe.experts.#.gate_proj ffn.w1
		mlp.wi_0 mlp.gate_einsum`},
	{place{part: partUp}, `mlp.up_proj ffn_up feed_forward.w3 mlp.w1 layer.1.DenseReluDense.wi_1 layer.2.DenseReluDense.wi_1
		layer.1.DenseReluDense.wi layer.2.DenseReluDense.wi block_sparse_moe.experts.#.w3 mlp.experts.#.up_proj
		feed_forward.up_proj feed_forward.experts.#.up_proj intermediate.dense mlp.fc1 fc1 mlp.c_fc mlp.fc_in mlp.dense_h_to_4h
		ffn.up_proj ffn.lin1 output.dense_in mlp.fc_1 ffn_up.# ffn.fc1 mlp.lin1 mlp.fc11 mixer.up_proj pwconv1 mlp.0 ff.net.0.proj
		feed_forward.intermediate_dense feed_forward.w_1 feed_forward2.linear1 ffn2.intermediate_dense ffn.key ffn
		moe.experts.#.w3 ffn.experts.#.w3 feed_forward.experts.#.w3 mlp.experts.#.w3 moe.experts.#.up_proj ffn.w3
		layer.1.mlp.wi layer.2.mlp.wi layer.1.mlp.experts.#.wi layer.2.mlp.experts.#.wi ffn.experts.#.fc1 feed_forward.intermediate
		mlp.wi mlp.wi_1 MlpBlock_0.Dense_0 MlpBlock_3.Dense_0 mlp.up_einsum`},
	{place{part: partDown}, `mlp.down_proj ffn_down feed_forward.w2 layer.1.DenseReluDense.wo layer.2.DenseReluDense.wo
		block_sparse_moe.experts.#.w2 mlp.experts.#.down_proj feed_forward.down_proj feed_forward.experts.#.down_proj output.dense
		mlp.fc2 fc2 mlp.c_proj mlp.fc_out mlp.dense_4h_to_h ffn.down_proj ffn.lin2 mlp.fc_2 ffn_down.# ffn.fc2 mlp.lin2 mlp.Wo mlp.weights_out mixer.down_proj pwconv2 mlp.2 ff.net.2
		feed_forward.output_dense feed_forward.w_2 feed_forward2.linear2 ffn2.output_dense ffn.value ffn_output
		moe.experts.#.w2 ffn.experts.#.w2 feed_forward.experts.#.w2 mlp.experts.#.w2 moe.experts.#.down_proj ffn.w2
		layer.1.mlp.wo layer.2.mlp.wo layer.1.mlp.experts.#.wo layer.2.mlp.experts.#.wo ffn.experts.#.fc2 feed_forward.output
		mlp.wo MlpBlock_0.Dense_1 MlpBlock_3.Dense_1 mlp.linear`},
	{place{part: partGateUp}, `mlp.gate_up_proj feed_forward.gate_up_proj mlp.experts.#.gate_up_proj mlp.Wi mlp.weights_in`},
	{place{part: partRouter}, `block_sparse_moe.gate mlp.gate mlp.router ffn_gate_inp feed_forward.router mlp.gate.wg block_sparse_moe.router.layer
		moe.router.gate moe.router moe.gate ffn.gate feed_forward.gate ffn.router.layer layer.1.mlp.router.classifier layer.2.mlp.router.classifier ffn.router.classifier`},

	{place{part: partGate, stacked: true}, `ffn_gate_exps mlp.switch_mlp.gate_proj block_sparse_moe.switch_mlp.gate_proj feed_forward.switch_mlp.gate_proj
		mlp.experts.gate_proj moe.experts.w1 mlp.experts.w1 feed_forward.experts.w1 ffn.experts.w1 block_sparse_moe.experts.w1 ffn.experts.mlp.w1`},
	{place{part: partUp, stacked: true}, `ffn_up_exps mlp.switch_mlp.up_proj block_sparse_moe.switch_mlp.up_proj feed_forward.switch_mlp.up_proj
		mlp.experts.up_proj moe.experts.w3 mlp.experts.w3 feed_forward.experts.w3 ffn.experts.w3 block_sparse_moe.experts.w3 ffn.experts.mlp.v1`},
	{place{part: partDown, stacked: true}, `ffn_down_exps mlp.experts.down_proj feed_forward.experts.down_proj block_sparse_moe.output_linear
		mlp.switch_mlp.down_proj block_sparse_moe.switch_mlp.down_proj feed_forward.switch_mlp.down_proj
		moe.experts.w2 mlp.experts.w2 feed_forward.experts.w2 ffn.experts.w2 block_sparse_moe.experts.w2 ffn.experts.mlp.w2`},
	{place{part: partGateUp, stacked: true}, `ffn_gate_up_exps mlp.experts.gate_up_proj feed_forward.experts.gate_up_proj block_sparse_moe.input_linear mlp.switch_mlp.gate_up_proj`},

	{place{part: partGate, shared: true}, `mlp.shared_expert.gate_proj mlp.shared_experts.gate_proj feed_forward.shared_expert.gate_proj ffn_gate_shexp
		mlp.shared_mlp.gate_proj block_sparse_moe.shared_experts.gate_proj moe.shared_experts.w1 ffn.shared_experts.w1 moe.shared_expert.w1 feed_forward.shared_expert.w1`},
	{place{part: partUp, shared: true}, `mlp.shared_expert.up_proj mlp.shared_experts.up_proj feed_forward.shared_expert.up_proj ffn_up_shexp
		mlp.shared_mlp.up_proj block_sparse_moe.shared_experts.up_proj moe.shared_experts.w3 ffn.shared_experts.w3 moe.shared_expert.w3 feed_forward.shared_expert.w3`},
	{place{part: partDown, shared: true}, `mlp.shared_expert.down_proj mlp.shared_experts.down_proj feed_forward.shared_expert.down_proj ffn_down_shexp shared_mlp.output_linear
		mlp.shared_mlp.down_proj block_sparse_moe.shared_experts.down_proj moe.shared_experts.w2 ffn.shared_experts.w2 moe.shared_expert.w2 feed_forward.shared_expert.w2`},
	{place{part: partGateUp, shared: true}, `shared_mlp.input_linear mlp.shared_experts.gate_up_proj mlp.shared_expert.gate_up_proj mlp.shared_mlp.gate_up_proj`},
	{place{part: partSharedGate}, `mlp.shared_expert_gate ffn_gate_inp_shexp`},
	{place{part: partRouterBias}, `mlp.gate.e_score_correction mlp.gate.e_score_correction_bias exp_probs_b
		block_sparse_moe.e_score_correction_bias block_sparse_moe.gate.e_score_correction_bias mlp.moe_statics.e_score_correction_bias
		moe.expert_bias feed_forward.expert_bias mlp.expert_bias mlp.gate.expert_bias mlp.router.expert_bias`},

	{place{part: partQ, cross: true}, `encoder_attn.q_proj layer.1.EncDecAttention.q cross_attn_q cross_attn.q_proj cross_attn.query attn2.to_q
		cross_attention.q_proj cross_attn.query_proj encoder_decoder_attention.query`},
	{place{part: partK, cross: true}, `encoder_attn.k_proj layer.1.EncDecAttention.k cross_attn_k cross_attn.k_proj cross_attn.key attn2.to_k
		cross_attention.k_proj cross_attn.key_proj encoder_decoder_attention.key`},
	{place{part: partV, cross: true}, `encoder_attn.v_proj layer.1.EncDecAttention.v cross_attn_v cross_attn.v_proj cross_attn.value attn2.to_v
		cross_attention.v_proj cross_attn.value_proj encoder_decoder_attention.value`},
	{place{part: partO, cross: true}, `encoder_attn.out_proj encoder_attn.o_proj layer.1.EncDecAttention.o cross_attn_o cross_attn.o_proj cross_attn.out attn2.to_out.0
		cross_attention.out_proj cross_attn.out_proj encoder_decoder_attention.out`},
	{place{part: partQNorm, cross: true}, `cross_attn.q_norm`},
	{place{part: partKNorm, cross: true}, `cross_attn.k_norm`},
	{place{part: partAttnNorm, cross: true}, `encoder_attn_layer_norm cross_attn_norm cross_attn_ln cross_attention_layer_norm cross_attn_layer_norm`},

	{place{part: partAttnNorm}, `input_layernorm attn_norm attention_norm ln_1 ln1 self_attn_layer_norm layernorm_before layer_norm1
		layer.0.layer_norm norm1 ln_attn norm_1 ln norm
		attn_ln operator_norm norm_self_att norm_mha layer_norm norm_attn_norm.norm_1
		LayerNorm_0 pre_attention_layer_norm pre_self_attention_layer_norm pre_attention_norm`},
	{place{part: partMLPNorm}, `ffn_norm ln_2 ln2 layernorm_after layer_norm2 layer.2.layer_norm pre_feedforward_layernorm
		norm2 ln_mlp norm_2 mlp_norm pre_ff_layernorm
		mlp_ln norm_ff norm_feed_forward2 ffn2_layer_norm layernorm norm_attn_norm.norm_2 ff_layer_norm feed_forward_layer_norm final_layernorm
		LayerNorm_1 LayerNorm_2 pre_mlp_layer_norm pre_ffw_norm post_self_attention_layer_norm`},
	{place{part: partAfterNorm}, `post_attention_layernorm post_attention_norm final_layer_norm attention.output.LayerNorm attention.LayerNorm
		sa_layer_norm layer.1.layer_norm attn_output_norm attn_norm_2 pre_cross_attention_layer_norm`},
	{place{part: partAttnPost}, `post_self_attn_layernorm post_attn_norm`},
	{place{part: partMLPPost}, `post_feedforward_layernorm post_ffw_norm post_mlp_layernorm output.LayerNorm output_layer_norm layer_output_norm full_layer_layer_norm`},
	{place{part: partQNorm}, `self_attn.q_norm attn_q_norm attention.q_norm self_attn.q_layernorm attn.q_norm attn.norm_q self_attn.query_layernorm self_attn.q_layernorm.norms.#`},
	{place{part: partKNorm}, `self_attn.k_norm attn_k_norm attention.k_norm self_attn.k_layernorm attn.k_norm attn.norm_k self_attn.key_layernorm self_attn.k_layernorm.norms.#`},

	{place{part: partQA}, `self_attn.q_a_proj attn_q_a`},
	{place{part: partQB}, `self_attn.q_b_proj attn_q_b`},
	{place{part: partKVA}, `self_attn.kv_a_proj_with_mqa attn_kv_a_mqa`},
	{place{part: partKVB}, `self_attn.kv_b_proj attn_kv_b`},
	{place{part: partKB}, `attn_k_b`},
	{place{part: partVB}, `attn_v_b`},
	{place{part: partQANorm}, `self_attn.q_a_layernorm attn_q_a_norm`},
	{place{part: partKVANorm}, `self_attn.kv_a_layernorm attn_kv_a_norm`},

	{place{part: partIndexQ}, `self_attn.indexer.wq_b indexer.attn_q_b`},
	{place{part: partIndexK}, `self_attn.indexer.wk indexer.attn_k`},
	{place{part: partIndexWeights}, `self_attn.indexer.weights_proj indexer.proj`},
	{place{part: partIndexNorm}, `self_attn.indexer.k_norm indexer.k_norm`},

	{place{part: partSinks}, `self_attn.sinks attn_sinks`},
	{place{part: partRelative}, `layer.0.SelfAttention.relative_attention_bias attn_rel_b layer.0.LocalSelfAttention.relative_attention_bias
		layer.0.TransientGlobalSelfAttention.relative_attention_bias`},
	{place{part: partAttnScale}, `layer_scale1.lambda1 ls1`},
	{place{part: partMLPScale}, `layer_scale2.lambda1 ls2 layer_scale_parameter`},
	{place{part: partTable}, `self_attn.rotary_emb.inv_freq attention.rotary_emb.inv_freq attn.rotary_emb.inv_freq attn.masked_bias attention.masked_bias
		attn.attention.masked_bias attn_rot_embd rope_freqs`},
}

// towerRows lists the ends of names outside the layers, without ".weight" or
// ".bias". A name after "^" is a whole one.
var towerRows = []struct {
	part  part
	names string
}{
	{partEmbedding, `embed_tokens wte token_embd tok_embeddings word_embeddings embed_in embeddings.word_embeddings
		shared token_embedding embedding.word_embeddings embeddings.token_embedding wordEmbeddings backbone.embeddings ^emb token_embedder embedder.input_embedding`},
	{partPositions, `wpe embed_positions position_embd position_embeddings embeddings.position_embeddings position_embedding
		embeddings.position_embedding pos_embed positional_embedding pos_embedding`},
	{partTypes, `token_type_embeddings token_types`},
	{partEmbeddingNorm, `embeddings.LayerNorm word_embeddings_layernorm token_embd_norm layernorm_embedding embeddings_layer_norm embeddings.norm pre_layrnorm v.pre_ln ln_pre layernorm_pre`},
	{partHead, `lm_head output embed_out output_layer cls.predictions.decoder lm_head.decoder proj_out logits_dense`},
	{partFinalNorm, `model.norm norm output_norm ln_f final_layer_norm final_layernorm norm_f post_layernorm
		encoder.final_layernorm ln_post final_norm vit.layernorm ^layernorm v.post_ln layernorm_post encoder.layer_norm decoder.layer_norm
		^model.embedding_norm ^decoder.ln ^ln_out ^model.layer_norm ^biogpt.layer_norm encoder_norm decoder_norm`},
	{partNone, `head.norm`}, // of a masked-language head
	{partTable, `rope_freqs rope_factors_long rope_factors_short rope.freqs rotary_pos_emb.inv_freq rotary_emb.inv_freq position_ids embeddings.position_ids`},
}

var (
	layerNames = map[string]place{}
	towerNames = map[string]part{}
)

func init() {
	for _, row := range layerRows {
		for _, n := range strings.Fields(row.names) {
			layerNames[n] = row.place
		}
	}
	for _, row := range towerRows {
		for _, n := range strings.Fields(row.names) {
			towerNames[n] = row.part
		}
	}
}

// Names in use have some ten words; longer ones are not looked up.
const (
	maxName  = 512
	maxWords = 24
)

// split takes the ending off a tensor's name.
func split(name string) (stem string, bias bool) {
	for _, end := range []struct {
		suffix string
		bias   bool
	}{{".weight", false}, {".bias", true}, {".gamma", false}, {".beta", true}} {
		if s, ok := strings.CutSuffix(name, end.suffix); ok {
			return s, end.bias
		}
	}
	// Stacked experts and the fused matrices of PyTorch's own attention.
	for _, end := range []struct {
		suffix string
		bias   bool
	}{{"_weight", false}, {"_bias", true}} {
		if s, ok := strings.CutSuffix(name, end.suffix); ok && (strings.HasSuffix(s, "_proj") || strings.HasSuffix(s, "_exps")) {
			return s, end.bias
		}
	}
	return name, false
}

// masks are buffers that old checkpoints keep under the name of a bias.
var masks = map[string]bool{"attn": true, "attention": true, "attn.attention": true}

// wrappers are the words that training frameworks put into names around a
// module: data-parallel and sharded wrappers, compiled and checkpointed ones.
var wrappers = map[string]bool{
	"module": true, "_module": true, "_forward_module": true, "_orig_mod": true,
	"_fsdp_wrapped_module": true, "_fpw_module": true, "_checkpoint_wrapped_module": true, "base_layer": true,
}

// unwrapped is a name's words without those of wrappers.
func unwrapped(stem string) []string {
	return slices.DeleteFunc(strings.Split(stem, "."), func(w string) bool { return wrappers[w] })
}

// located is a name taken apart.
type located struct {
	prefix string // before the layer number, such as "model.layers"
	layer  int
	expert int // -1 if none
	place  place
	bias   bool
}

// locate finds the layer number and the place of a name. It reports false for
// tensors outside layers and for unknown names.
func locate(name string) (located, bool) {
	if len(name) > maxName {
		return located{}, false
	}
	stem, bias := split(spelled(name))
	words := unwrapped(stem)
	if len(words) > maxWords {
		return located{}, false
	}
	for i := 1; i < len(words)-1; i++ {
		layer, ok := number(words[i])
		if !ok {
			continue
		}
		if generically[words[i-1]] {
			return located{}, false
		}
		at := located{prefix: strings.Join(words[:i], "."), layer: layer, bias: bias}
		var suffix string
		suffix, at.expert = withoutExpert(words[i+1:])
		if masks[suffix] && bias {
			at.place = place{part: partTable}
			return at, true
		}
		if p, known := layerNames[suffix]; known {
			at.place = p
			at.bias = bias && p.part != partRouterBias
			return at, true
		}
	}
	return located{}, false
}

// withoutExpert replaces the number after "experts" or "norms" (or a GGUF of
// the first mixtures, "ffn_gate.3", or "experts.expert_3") by "#".
func withoutExpert(words []string) (suffix string, expert int) {
	expert = -1
	out := make([]string, len(words))
	copy(out, words)
	for i := 1; i < len(words); i++ {
		n, ok := number(strings.TrimPrefix(words[i], "expert_"))
		if ok && (words[i-1] == "experts" || words[i-1] == "norms" || strings.HasPrefix(words[i-1], "ffn_")) {
			expert, out[i] = n, "#"
		}
	}
	return strings.Join(out, "."), expert
}

// generically are stacks of layers whose matrices stay without a role although some
// have known names: what attention and MLP of Flux write is one matrix, and the
// first layer of SenseVoice writes another width than it reads.
var generically = map[string]bool{"single_transformer_blocks": true, "encoders0": true}

// number reads a decimal of at most six digits.
func number(s string) (int, bool) {
	if len(s) == 0 || len(s) > 6 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// outside finds the part of a tensor that stands outside the layers. A name
// with a number, except at its beginning, stands inside one.
func outside(name string) (p part, stem string, bias, ok bool) {
	stem, bias = split(spelled(name))
	if len(name) > maxName {
		return partNone, stem, bias, false
	}
	words := unwrapped(stem)
	stem = strings.Join(words, ".")
	for i, w := range words {
		if _, numbered := number(w); i >= maxWords || i > 0 && numbered {
			return partNone, stem, bias, false
		}
	}
	if p, ok := towerNames["^"+stem]; ok {
		return p, stem, bias, true
	}
	for rest := stem; ; {
		if p, ok := towerNames[rest]; ok {
			return p, stem, bias, p != partNone
		}
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			return partNone, stem, bias, false
		}
		rest = rest[i+1:]
	}
}
