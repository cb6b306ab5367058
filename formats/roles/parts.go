package roles

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
	partAttnPost  // a norm on what attention adds to the residual stream
	partMLPPost
	partQNorm
	partKNorm
	partQA // low-rank attention (MLA): down and up projections
	partQB
	partKVA
	partKVB
	partKB // the key and the value part of KVB, as GGUF stores them apart
	partVB
	partQANorm
	partKVANorm
	partRouterBias
	partSharedGate
	partIndexQ // the index that picks the keys of sparse attention (DeepSeek V3.2)
	partIndexK
	partIndexWeights
	partIndexNorm
	partSinks
	partRelative // learned biases by distance
	partAttnScale
	partMLPScale
	partTable // a fixed table: masks, frequencies
	partEmbedding
	partPositions
	partTypes // token types
	partEmbeddingNorm
	partHead
	partFinalNorm
)

// partNames gives the last words of roles.
var partNames = [...]string{
	partQ: "attn.q", partK: "attn.k", partV: "attn.v", partO: "attn.o", partQKV: "attn.qkv",
	partGate: "mlp.gate", partUp: "mlp.up", partDown: "mlp.down", partGateUp: "mlp.gate_up", partRouter: "mlp.router",
	partAttnNorm: "attn.norm", partMLPNorm: "mlp.norm", partAfterNorm: "attn.post_norm", partAttnPost: "attn.post_norm", partMLPPost: "mlp.post_norm",
	partQNorm: "attn.q_norm", partKNorm: "attn.k_norm",
	partQA: "attn.q_a", partQB: "attn.q_b", partKVA: "attn.kv_a", partKVB: "attn.kv_b", partKB: "attn.k_b", partVB: "attn.v_b",
	partQANorm: "attn.q_a_norm", partKVANorm: "attn.kv_a_norm",
	partRouterBias: "mlp.router_bias", partSharedGate: "mlp.shared_gate", partSinks: "attn.sinks", partRelative: "attn.relative",
	partIndexQ: "attn.index_q", partIndexK: "attn.index_k", partIndexWeights: "attn.index_weights", partIndexNorm: "attn.index_norm",
	partAttnScale: "attn.scale", partMLPScale: "mlp.scale", partTable: "table",
	partEmbedding: "embedding", partPositions: "positions", partTypes: "token_types", partEmbeddingNorm: "embedding_norm",
	partHead: "head", partFinalNorm: "norm",
}

// place says where a known name puts a tensor.
type place struct {
	part    part
	stacked bool // first dimension counts experts
	shared  bool // the shared expert of a mixture
	cross   bool // cross-attention of a decoder
}

// word is the role's last words.
func (p place) word() string {
	switch {
	case p.shared:
		return partNames[p.part] + "_shared"
	case p.cross:
		return partNames[p.part] + "_cross"
	}
	return partNames[p.part]
}
