package roles

import "strings"

// part is what a tensor is within a layer or a tower.
type part uint8

const (
	partNone part = iota
	partQ
	partK
	partV
	partO
	partQKV // fused query, key, value
	partGate
	partUp
	partDown
	partGateUp // fused gate and up
	partRouter
	partAttnNorm
	partMLPNorm
	partAfterNorm // a norm after attention, or before the MLP: which one, the layer tells
	partQNorm
	partKNorm
	partQA // low-rank attention (MLA): down and up projections
	partQB
	partKVA
	partKVB
	partOther // known name, no symmetry group of its own
	partEmbedding
	partPositions
	partHead
	partFinalNorm
)

// partNames gives the role's last words.
var partNames = [...]string{
	partQ: "attn.q", partK: "attn.k", partV: "attn.v", partO: "attn.o", partQKV: "attn.qkv",
	partGate: "mlp.gate", partUp: "mlp.up", partDown: "mlp.down", partGateUp: "mlp.gate_up", partRouter: "mlp.router",
	partAttnNorm: "attn.norm", partMLPNorm: "mlp.norm", partAfterNorm: "attn.after_norm",
	partQNorm: "attn.q_norm", partKNorm: "attn.k_norm",
	partQA: "attn.q_a", partQB: "attn.q_b", partKVA: "attn.kv_a", partKVB: "attn.kv_b", partOther: "other",
	partEmbedding: "embedding", partPositions: "positions", partHead: "head", partFinalNorm: "norm",
}

// place says where a known name puts a tensor.
type place struct {
	part       part
	stacked    bool // first dimension counts experts
	transposed bool // stored as inputs × outputs
	shared     bool // the shared expert of a mixture
	cross      bool // cross-attention of a decoder
}

// layerNames maps what stands after the layer number, without ".weight" or
// ".bias", to its place. "#" stands for an expert's number. The names are
// those that published checkpoints and the GGUF converter use.
var layerNames = map[string]place{}

func init() {
	for p, names := range map[part]string{
		partQ: `self_attn.q_proj attn_q attention.wq attention.self.query attention.attention.query attention.attn.q
			attention.q_lin attn.q_proj attn.attention.q_proj layer.0.SelfAttention.q attention.query attn.q`,
		partK: `self_attn.k_proj attn_k attention.wk attention.self.key attention.attention.key attention.attn.k
			attention.k_lin attn.k_proj attn.attention.k_proj layer.0.SelfAttention.k attention.key attn.k`,
		partV: `self_attn.v_proj attn_v attention.wv attention.self.value attention.attention.value attention.attn.v
			attention.v_lin attn.v_proj attn.attention.v_proj layer.0.SelfAttention.v attention.value attn.v`,
		partO: `self_attn.o_proj self_attn.out_proj self_attn.dense self_attention.dense attn_output attn_out attention.wo
			attention.output.dense attention.dense attention.attn.o attention.out_lin attn.c_proj attn.out_proj attn.proj
			attn.attention.out_proj layer.0.SelfAttention.o attention.out attn.o_proj attention.o_proj`,
		partQKV: `self_attn.qkv_proj self_attn.W_pack attn_qkv attn.c_attn attn.Wqkv attn.qkv attention.wqkv
			attention.query_key_value self_attention.query_key_value self_attn.query_key_value self_attn.qkv mixer.Wqkv`,
		partGate: `mlp.gate_proj ffn_gate feed_forward.w1 mlp.w2 layer.1.DenseReluDense.wi_0 layer.2.DenseReluDense.wi_0
			block_sparse_moe.experts.#.w1 mlp.experts.#.gate_proj feed_forward.gate_proj ffn_gate.#`,
		partUp: `mlp.up_proj ffn_up feed_forward.w3 mlp.w1 layer.1.DenseReluDense.wi_1 layer.2.DenseReluDense.wi_1
			layer.1.DenseReluDense.wi layer.2.DenseReluDense.wi block_sparse_moe.experts.#.w3 mlp.experts.#.up_proj
			feed_forward.up_proj intermediate.dense mlp.fc1 fc1 mlp.c_fc mlp.fc_in mlp.dense_h_to_4h ffn.up_proj ffn.lin1
			output.dense_in mlp.fc_1 ffn_up.# ffn.fc1 mlp.lin1`,
		partDown: `mlp.down_proj ffn_down feed_forward.w2 layer.1.DenseReluDense.wo layer.2.DenseReluDense.wo
			block_sparse_moe.experts.#.w2 mlp.experts.#.down_proj feed_forward.down_proj output.dense mlp.fc2 fc2 mlp.c_proj
			mlp.fc_out mlp.dense_4h_to_h ffn.down_proj ffn.lin2 mlp.fc_2 ffn_down.# ffn.fc2 mlp.lin2`,
		partGateUp: `mlp.gate_up_proj feed_forward.gate_up_proj mlp.experts.#.gate_up_proj`,
		partRouter: `block_sparse_moe.gate mlp.gate mlp.router ffn_gate_inp feed_forward.router mlp.gate.wg`,
		partAttnNorm: `input_layernorm attn_norm attention_norm ln_1 ln1 self_attn_layer_norm layernorm_before layer_norm1
			layer.0.layer_norm norm1 ln_attn norm_1 ln`,
		partMLPNorm: `ffn_norm ln_2 ln2 layernorm_after layer_norm2 layer.2.layer_norm pre_feedforward_layernorm
			norm2 ln_mlp norm_2`,
		partAfterNorm: `post_attention_layernorm post_attention_norm final_layer_norm attention.output.LayerNorm attention.LayerNorm
			sa_layer_norm layer.1.layer_norm post_attn_norm attn_output_norm`,
		partQNorm: `self_attn.q_norm attn_q_norm attention.q_norm self_attn.q_layernorm attn.q_norm self_attn.query_layernorm`,
		partKNorm: `self_attn.k_norm attn_k_norm attention.k_norm self_attn.k_layernorm attn.k_norm self_attn.key_layernorm`,
		partQA:    `self_attn.q_a_proj attn_q_a`,
		partQB:    `self_attn.q_b_proj attn_q_b`,
		partKVA:   `self_attn.kv_a_proj_with_mqa attn_kv_a_mqa`,
		partKVB:   `self_attn.kv_b_proj attn_kv_b`,
		partOther: `post_feedforward_layernorm post_ffw_norm output.LayerNorm output_layer_norm layer_output_norm self_attn.q_a_layernorm
			self_attn.kv_a_layernorm attn_q_a_norm attn_kv_a_norm self_attn.sinks attn_sinks self_attn.rotary_emb.inv_freq
			attention.rotary_emb.inv_freq attn.bias attn.masked_bias attention.bias attention.masked_bias
			mlp.gate.e_score_correction_bias exp_probs_b layer.0.SelfAttention.relative_attention_bias mlp.shared_expert_gate
			ffn_gate_inp_shexp encoder_attn_layer_norm layer_scale1.lambda1 layer_scale2.lambda1 attn_rot_embd`,
	} {
		for _, n := range strings.Fields(names) {
			layerNames[n] = place{part: p}
		}
	}
	for n, p := range map[string]place{
		// The feed-forward parts of mixtures, stacked in one tensor.
		"ffn_gate_exps": {part: partGate, stacked: true}, "ffn_up_exps": {part: partUp, stacked: true},
		"ffn_down_exps": {part: partDown, stacked: true}, "ffn_gate_up_exps": {part: partGateUp, stacked: true},
		"mlp.experts.gate_up_proj":          {part: partGateUp, stacked: true, transposed: true},
		"mlp.experts.down_proj":             {part: partDown, stacked: true, transposed: true},
		"feed_forward.experts.gate_up_proj": {part: partGateUp, stacked: true, transposed: true},
		"feed_forward.experts.down_proj":    {part: partDown, stacked: true, transposed: true},
		// Experts that see every token.
		"mlp.shared_expert.gate_proj": {part: partGate, shared: true}, "mlp.shared_experts.gate_proj": {part: partGate, shared: true},
		"mlp.shared_expert.up_proj": {part: partUp, shared: true}, "mlp.shared_experts.up_proj": {part: partUp, shared: true},
		"mlp.shared_expert.down_proj": {part: partDown, shared: true}, "mlp.shared_experts.down_proj": {part: partDown, shared: true},
		"feed_forward.shared_expert.gate_proj": {part: partGate, shared: true}, "feed_forward.shared_expert.up_proj": {part: partUp, shared: true},
		"feed_forward.shared_expert.down_proj": {part: partDown, shared: true},
		"ffn_gate_shexp":                       {part: partGate, shared: true}, "ffn_up_shexp": {part: partUp, shared: true}, "ffn_down_shexp": {part: partDown, shared: true},
		// Attention of a decoder over its encoder.
		"encoder_attn.q_proj": {part: partQ, cross: true}, "encoder_attn.k_proj": {part: partK, cross: true},
		"encoder_attn.v_proj": {part: partV, cross: true}, "encoder_attn.out_proj": {part: partO, cross: true},
		"layer.1.EncDecAttention.q": {part: partQ, cross: true}, "layer.1.EncDecAttention.k": {part: partK, cross: true},
		"layer.1.EncDecAttention.v": {part: partV, cross: true}, "layer.1.EncDecAttention.o": {part: partO, cross: true},
	} {
		layerNames[n] = p
	}
}

// towerNames maps the end of a name outside the layers, without ".weight" or
// ".bias", to its part.
var towerNames = map[string]part{}

func init() {
	for p, names := range map[part]string{
		partEmbedding: `embed_tokens wte token_embd tok_embeddings word_embeddings embed_in embeddings.word_embeddings
			shared token_embedding embedding.word_embeddings transformer.wte embeddings.token_embedding wordEmbeddings`,
		partPositions: `wpe embed_positions position_embd position_embeddings embeddings.position_embeddings position_embedding
			embeddings.position_embedding pos_embed positional_embedding`,
		partHead: `lm_head output embed_out output_layer score cls.predictions.decoder lm_head.decoder proj_out`,
		partFinalNorm: `model.norm norm output_norm ln_f final_layer_norm final_layernorm norm_f post_layernorm
			encoder.final_layernorm ln_post`,
	} {
		for _, n := range strings.Fields(names) {
			towerNames[n] = p
		}
	}
}

// split takes the ending off a tensor's name.
func split(name string) (stem string, bias bool) {
	if s, ok := strings.CutSuffix(name, ".weight"); ok {
		return s, false
	}
	if s, ok := strings.CutSuffix(name, ".bias"); ok {
		return s, true
	}
	if s, ok := strings.CutSuffix(name, "_bias"); ok && layerish(s) {
		return s, true
	}
	return strings.TrimSuffix(name, ".gamma"), false
}

// layerish tells whether a name without its "_bias" still ends like a matrix:
// stacked experts keep their biases so.
func layerish(stem string) bool {
	return strings.HasSuffix(stem, "_proj") || strings.HasSuffix(stem, "_exps")
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
	stem, bias := split(name)
	words := strings.Split(stem, ".")
	for i := 0; i < len(words)-1; i++ {
		layer, ok := number(words[i])
		if !ok || i == 0 {
			continue
		}
		suffix, expert := withoutExpert(words[i+1:])
		if p, known := layerNames[suffix]; known {
			return located{strings.Join(words[:i], "."), layer, expert, p, bias}, true
		}
	}
	return located{}, false
}

// withoutExpert replaces the number after "experts" (or a GGUF of the first
// mixtures, "ffn_gate.3") by "#".
func withoutExpert(words []string) (suffix string, expert int) {
	expert = -1
	out := make([]string, len(words))
	copy(out, words)
	for i := 1; i < len(words); i++ {
		n, ok := number(words[i])
		if ok && (words[i-1] == "experts" || strings.HasPrefix(words[i-1], "ffn_")) {
			expert, out[i] = n, "#"
		}
	}
	return strings.Join(out, "."), expert
}

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

// outside finds the part of a tensor that stands outside the layers.
func outside(name string) (p part, stem string, bias, ok bool) {
	stem, bias = split(name)
	for rest := stem; ; {
		if p, ok := towerNames[rest]; ok {
			return p, stem, bias, true
		}
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			return partNone, stem, bias, false
		}
		rest = rest[i+1:]
	}
}
