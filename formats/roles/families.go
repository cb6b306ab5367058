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
)

// family is one row of traits that names alone do not show.
type family struct {
	name  string
	types string // config.json model_type values, and GGUF architectures

	norm      normKind
	rotary    bool
	plusOne   bool      // Hugging Face files store norm gains less one
	qkv       qkvLayout // of the Hugging Face files; GGUF regroups to contiguous
	oddEven   bool      // fused expert rows alternate gate, up (gpt-oss)
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
	{name: "llama", types: "llama mistral mistral3 mixtral llama4_text ministral smollm3 yi aquila internlm internlm3 xverse minicpm deci arctic deepseek solar_open apertus", rotary: true, unpermute: true},
	{name: "llama4", types: "llama4", rotary: true},
	{name: "qwen", types: "qwen qwen2 qwen2_moe qwen2moe qwen3 qwen3_moe qwen3moe qwen2_vl qwen2vl qwen2_5_vl qwen3_vl", rotary: true},
	{name: "gemma", types: "gemma gemma2 gemma3 gemma3_text", rotary: true, plusOne: true},
	{name: "gemma", types: "gemma3n gemma3n_text gemma4", rotary: true},
	{name: "phi", types: "phi phi2 phi-msft mixformer-sequential", norm: layerNorm, rotary: true},
	{name: "phi3", types: "phi3 phi4 phimoe phi4mm", rotary: true},
	{name: "olmo", types: "olmo", norm: layerNorm, rotary: true, unpermute: true},
	{name: "olmo2", types: "olmo2 olmo3 olmoe", rotary: true},
	{name: "deepseek2", types: "deepseek_v2 deepseek_v3 deepseek2 kimi_k2 glm4_moe glm4moe", rotary: true},
	{name: "granite", types: "granite granitemoe", rotary: true, unpermute: true},
	{name: "glm", types: "chatglm glm glm4", rotary: true},
	{name: "falcon", types: "falcon RefinedWeb RefinedWebModel", norm: layerNorm, rotary: true, qkv: qkvPerGroup},
	{name: "bloom", types: "bloom", norm: layerNorm, qkv: qkvPerGroup},
	{name: "gpt-neox", types: "gpt_neox gptneox", norm: layerNorm, rotary: true, qkv: qkvPerGroup},
	{name: "gpt-j", types: "gptj codegen", norm: layerNorm, rotary: true},
	{name: "gpt-2", types: "gpt2 gpt_bigcode starcoder gpt_neo openai-gpt", norm: layerNorm},
	{name: "opt", types: "opt", norm: layerNorm},
	{name: "mpt", types: "mpt", norm: layerNorm},
	{name: "starcoder2", types: "starcoder2", norm: layerNorm, rotary: true},
	{name: "stablelm", types: "stablelm stablelm_epoch", norm: layerNorm, rotary: true},
	{name: "cohere", types: "cohere cohere2 command-r", norm: layerNorm, rotary: true},
	{name: "internlm2", types: "internlm2", rotary: true, qkv: qkvPerGroup, unpermute: true},
	{name: "baichuan", types: "baichuan", rotary: true, unpermute: true},
	{name: "gpt-oss", types: "gpt_oss gpt-oss gptoss", rotary: true, oddEven: true},
	{name: "nemotron", types: "nemotron", norm: layerNorm, rotary: true, plusOne: true},
	{name: "bert", types: "bert roberta xlm-roberta mpnet distilbert camembert nomic_bert electra deberta-v2", norm: layerNorm},
	{name: "t5", types: "t5 mt5 umt5", norm: rms},
	{name: "whisper", types: "whisper bart mbart marian", norm: layerNorm},
	{name: "vit", types: "vit deit dinov2 clip clip_text_model clip_vision_model siglip siglip_vision_model beit", norm: layerNorm},
	{name: "mamba", types: "mamba mamba2 falcon_mamba", norm: rms},
}

// declaredType returns the architecture the metadata names, for the given
// prefix of its configuration ("config." or "config.vision_config.").
func declaredType(m tensor.Metadata, prefix string) string {
	s, _ := m.String(prefix+"model_type", "general.architecture")
	return s
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

// guessFamily serves checkpoints without a configuration: the names that only
// one family uses decide; anything else is read as generic.
func guessFamily(m tensor.Model) family {
	for _, t := range m.Tensors() {
		for _, g := range []struct{ has, family string }{
			{".self_attn.q_proj.", "llama"}, {".attention.wq.", "llama"}, {".self_attn.qkv_proj.", "phi3"}, {".attn.c_attn.", "gpt2"},
			{"attention.self.query", "bert"}, {"attention.attention.query", "vit"}, {"gpt_neox.", "gpt_neox"}, {".SelfAttention.q.", "t5"},
		} {
			if strings.Contains(t.Name, g.has) {
				f := familyOf(g.family)
				f.unpermute = false
				return f
			}
		}
	}
	return family{name: "generic"}
}

// shape holds the numbers of a tower that its configuration declares; zero
// where it does not.
type shape struct {
	heads, kvHeads, headDim int
	nope, vDim              int // MLA: rows of a key without rotation, of a value
}

// declaredShape reads the numbers under every spelling in use.
func declaredShape(m tensor.Metadata, tower string) shape {
	arch, _ := m.String("general.architecture")
	var prefixes []string
	switch tower {
	case "vision":
		prefixes = []string{"config.vision_config.", "config.visual.", "clip.vision."}
	case "audio":
		prefixes = []string{"config.audio_config.", "clip.audio."}
	default:
		prefixes = []string{"config.", "config.text_config.", "config.llm_config.", "config.language_config."}
	}
	if tower == "main" || tower == "encoder" || tower == "decoder" {
		prefixes = append(prefixes, arch+".")
	} else if _, multi := m.Int("config.vision_config.hidden_size", "config.vision_config.num_hidden_layers"); !multi {
		prefixes = append(prefixes, "config.", arch+".") // a vision model of its own
	}
	get := func(names ...string) int {
		for _, p := range prefixes {
			for _, n := range names {
				if v, ok := m.Int(p + n); ok && v > 0 {
					return v
				}
			}
		}
		return 0
	}
	heads := []string{"num_attention_heads", "n_head", "num_heads", "n_heads", "attention.head_count"}
	if tower == "encoder" || tower == "decoder" {
		heads = append([]string{tower + "_attention_heads"}, heads...)
	}
	return shape{
		heads:   get(heads...),
		kvHeads: get("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "attention.head_count_kv"),
		headDim: get("head_dim", "d_kv", "kv_channels", "attention.key_length"),
		nope:    get("qk_nope_head_dim"),
		vDim:    get("v_head_dim"),
	}
}
