package roles

import (
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// qkvLayout says how a fused query-key-value matrix is laid out.
type qkvLayout uint8

const (
	qkvContiguous qkvLayout = iota // all queries, all keys, all values
	qkvPerGroup                    // per KV head: its queries, its key, its value
	qkvPerShard                    // four shards, each its queries, values, keys (CodeGen)
)

// family is one row of traits that names alone do not show.
type family struct {
	name  string
	types string // config.json model_type values, and GGUF architectures

	norm      normKind
	rotary    Rotary    // of the Hugging Face files
	partial   float64   // share of each head that is rotated where the configuration does not say; 0 = all
	plusOne   bool      // Hugging Face files store norm gains less one
	postNorm  bool      // norms follow attention and MLP, under names of norms that precede them elsewhere
	qkv       qkvLayout // of the Hugging Face files; GGUF regroups to contiguous
	gatedQ    bool      // each query head is followed by a gate of its size
	oddEven   bool      // fused expert rows alternate gate, up (gpt-oss)
	gateLast  bool      // the gate of a fused MLP matrix lies behind what it opens (diffusers)
	unpermute bool      // GGUF files hold query and key rows in rotary pairs
}

type normKind uint8

const (
	rms normKind = iota
	layerNorm
)

// families lists the architectures in use. A model whose type is not listed
// is read with the traits of "generic": names still locate its tensors.
var families = []family{
	{name: "llama", types: "llama mistral mistral3 mixtral ministral smollm3 yi aquila internlm internlm3 xverse minicpm deci arctic deepseek solar_open apertus", rotary: Half, unpermute: true},
	{name: "llama4", types: "llama4 llama4_text", rotary: Interleaved},
	{name: "qwen", types: "qwen qwen2 qwen2_moe qwen2moe qwen3 qwen3_moe qwen3moe qwen2_vl qwen2_vl_text qwen2vl qwen2_5_vl qwen2_5_vl_text qwen3_vl qwen3_vl_text", rotary: Half},
	{name: "qwen3-next", types: "qwen3_next qwen3next qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text qwen35 qwen35moe", rotary: Half, partial: 0.25, plusOne: true, gatedQ: true},
	{name: "gemma", types: "gemma gemma2 gemma3 gemma3_text", rotary: Half, plusOne: true},
	{name: "gemma", types: "gemma3n gemma3n_text gemma4", rotary: Half},
	{name: "phi", types: "phi phi2 phi-msft mixformer-sequential", norm: layerNorm, rotary: Half, partial: 0.5},
	{name: "phi3", types: "phi3 phi4 phimoe phi4mm", rotary: Half},
	{name: "olmo", types: "olmo", norm: layerNorm, rotary: Half, unpermute: true},
	{name: "olmo2", types: "olmo2 olmo3 olmoe", rotary: Half},
	{name: "deepseek2", types: "deepseek_v2 deepseek_v3 deepseek_v32 deepseek2 deepseek32 kimi_k2", rotary: Interleaved},
	{name: "granite", types: "granite granitemoe granitemoeshared granitemoehybrid granitehybrid", rotary: Half, unpermute: true},
	{name: "glm", types: "chatglm glm glm4", rotary: Interleaved, partial: 0.5},
	{name: "minimax-m2", types: "minimax_m2 minimax-m2", rotary: Half},
	{name: "lfm2", types: "lfm2 lfm2_moe lfm2moe", rotary: Half},
	{name: "dbrx", types: "dbrx", norm: layerNorm, rotary: Half},
	{name: "glm", types: "glm4_moe glm4moe", rotary: Half, partial: 0.5},
	{name: "falcon", types: "falcon RefinedWeb RefinedWebModel", norm: layerNorm, rotary: Half, qkv: qkvPerGroup},
	{name: "bloom", types: "bloom", norm: layerNorm, qkv: qkvPerGroup},
	{name: "gpt-neox", types: "gpt_neox gptneox", norm: layerNorm, rotary: Half, partial: 0.25, qkv: qkvPerGroup},
	{name: "gpt-j", types: "gptj", norm: layerNorm, rotary: Interleaved},
	{name: "codegen", types: "codegen", norm: layerNorm, rotary: Interleaved, qkv: qkvPerShard},
	{name: "gpt-2", types: "gpt2 gpt_bigcode starcoder gpt_neo openai-gpt", norm: layerNorm},
	{name: "opt", types: "opt xglm biogpt", norm: layerNorm},
	{name: "mpt", types: "mpt", norm: layerNorm},
	{name: "starcoder2", types: "starcoder2", norm: layerNorm, rotary: Half},
	{name: "stablelm", types: "stablelm stablelm_epoch", norm: layerNorm, rotary: Half, partial: 0.25},
	{name: "cohere", types: "cohere cohere2 command-r", norm: layerNorm, rotary: Interleaved},
	{name: "internlm2", types: "internlm2", rotary: Half, qkv: qkvPerGroup, unpermute: true},
	{name: "baichuan", types: "baichuan", rotary: Half, unpermute: true},
	{name: "exaone", types: "exaone exaone4", rotary: Half},
	{name: "gpt-oss", types: "gpt_oss gpt-oss gptoss", rotary: Half, oddEven: true},
	{name: "nemotron", types: "nemotron", norm: layerNorm, rotary: Half, partial: 0.5, plusOne: true},
	{name: "bert", types: "bert albert roberta xlm-roberta mpnet distilbert camembert electra deberta-v2 longformer big_bird", norm: layerNorm, postNorm: true},
	{name: "bert", types: "nomic_bert nomic-bert", norm: layerNorm, rotary: Half, postNorm: true},
	{name: "modernbert", types: "modernbert modern-bert", norm: layerNorm, rotary: Half},
	{name: "t5", types: "t5 mt5 umt5 longt5 switch_transformers", norm: rms},
	{name: "whisper", types: "whisper mbart", norm: layerNorm},
	{name: "moonshine", types: "moonshine", norm: layerNorm, rotary: Interleaved, partial: 0.9, gateLast: true},
	{name: "m2m", types: "m2m_100 nllb-moe speech_to_text musicgen_decoder", norm: layerNorm},
	{name: "pegasus", types: "pegasus pegasus_x bigbird_pegasus", norm: layerNorm},
	{name: "blenderbot", types: "blenderbot", norm: layerNorm},
	{name: "wav2vec2", types: "wav2vec2 hubert wavlm unispeech unispeech-sat sew data2vec-audio", norm: layerNorm, postNorm: true},
	{name: "conformer", types: "wav2vec2-conformer wav2vec2-bert parakeet_encoder parakeet_ctc parakeet_tdt conformer", norm: layerNorm},
	{name: "bart", types: "bart marian blenderbot-small plbart mvp led fsmt trocr prophetnet xlm-prophetnet", norm: layerNorm, postNorm: true},
	{name: "vit", types: "vit deit dinov2 clip clip_text_model clip_vision_model siglip siglip_text_model siglip_vision_model beit llama4_vision_model dinov3_vit", norm: layerNorm},
	{name: "pixtral", types: "pixtral", rotary: Half},
	{name: "convnext", types: "convnext convnextv2 dinov3_convnext", norm: layerNorm},
	{name: "diffusion", types: "UNet2DConditionModel FluxTransformer2DModel SD3Transformer2DModel DiTTransformer2DModel PixArtTransformer2DModel Transformer2DModel", norm: layerNorm, gateLast: true},
	{name: "rwkv", types: "rwkv rwkv5 rwkv6 rwkv7", norm: layerNorm},
	{name: "hybrid", types: "bamba falcon_h1 falcon-h1", rotary: Half},
	{name: "mamba", types: "mamba mamba2 falcon_mamba jamba nemotron_h zamba2", norm: rms},
}

// familyOf finds the row of traits for a model type.
func familyOf(modelType string) family {
	for _, f := range families {
		for _, t := range strings.Fields(f.types) {
			if t == modelType {
				return f
			}
		}
	}
	return family{name: "generic"}
}

// spellings are parts of names that only one family uses, for checkpoints
// without a configuration. meta tells the names of Meta's and Mistral's own
// files, whose query and key rows lie in rotary pairs.
var spellings = []struct {
	has, family string
	meta        bool
}{
	{".attention.wq.", "llama", true}, {".encoder_attn.o_proj.", "moonshine", false}, {".self_attn.qkv_proj.", "phi3", false}, {".attn.c_attn.", "gpt2", false},
	{"attention.self.query", "bert", false}, {".albert_layers.", "bert", false}, {"attention.attention.query", "vit", false}, {"gpt_neox.", "gpt_neox", false}, {".SelfAttention.q.", "t5", false},
	{".attn1.to_q.", "UNet2DConditionModel", false}, {".attn.to_q.", "FluxTransformer2DModel", false}, {".ffn.key.", "rwkv7", false}, {".pwconv1.", "convnext", false}, {".attn.query.", "whisper", false},
	{".self_attn.linear_", "conformer", false}, {".feed_forward.intermediate_dense.", "wav2vec2", false}, {".norm_attn_norm.", "dbrx", false},
	{"q_einsum", "gemma", false}, {".MultiHeadDotProductAttention_", "vit", false}, {"visual.", "vit", false}, {"vision", "vit", false}, {".self_attn.q_proj.", "llama", false},
}

// familyFor finds the traits of one tower: those of the type that the
// configuration declares for it, or else those its names suggest. Names alone
// never make a GGUF file's rows permuted.
func (f *found) familyFor(m tensor.Metadata) family {
	for _, key := range typeKeys[f.kind] {
		if s, ok := m.String(key); ok {
			if fam := familyOf(s); fam.name != "generic" {
				if first, declared := m.Bool("config.do_stable_layer_norm"); declared && first {
					fam.postNorm = false // of two forms of one architecture
				}
				if first, declared := m.Bool("config.do_layer_norm_before"); declared && !first {
					fam.postNorm = true // OPT of 350 million parameters
				}
				return fam
			}
		}
	}
	if f.names["self_attn_layer_norm"] { // fairseq's word; where norms come first, one more stands at the end
		fam := familyOf("m2m_100")
		fam.postNorm = f.outside[outer{partFinalNorm, false}] == nil
		return fam
	}
	for _, g := range spellings {
		if f.spelt(g.has) {
			fam := familyOf(g.family)
			fam.unpermute = g.meta
			return fam
		}
	}
	return family{name: "generic"}
}

// typeKeys says where each kind of tower finds its type.
var typeKeys = map[string][]string{
	"main":    {"config.text_config.model_type", "config.llm_config.model_type", "config.language_config.model_type", "config.model_type", "general.architecture"},
	"encoder": {"config.model_type", "general.architecture"},
	"decoder": {"config.model_type", "general.architecture"},
	"vision":  {"config.vision_config.model_type", "general.architecture"},
	"audio":   {"config.audio_config.model_type", "general.architecture"},
}
