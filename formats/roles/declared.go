package roles

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// shape holds the numbers of a tower that its configuration declares; zero
// where it does not.
type shape struct {
	hidden                  int
	heads, kvHeads, headDim int
	rotated                 int  // rows of a head that are rotated
	nope, rope, vDim        int  // MLA: rows of a key without rotation, of its rotated part, of a value
	latent                  int  // MLA: rows of the latent vector of keys and values
	oneKV                   bool // all query heads share one key and value
}

// maxDeclared bounds declared numbers of heads and rows: none in use comes
// near, and their products must not overflow.
const maxDeclared = 1 << 20

// places lists the prefixes under which a kind of tower is declared.
var places = map[string][]string{
	"vision":  {"config.vision_config.", "config.visual.", "clip.vision."},
	"audio":   {"config.audio_config.", "clip.audio."},
	"main":    {"config.text_config.", "config.llm_config.", "config.language_config.", "config.encoder_config.", "config."},
	"encoder": {"config.encoder.", "config."},
	"decoder": {"config.decoder.", "config."},
}

// declaredShape reads the numbers under every spelling in use.
func declaredShape(m tensor.Metadata, kind string) shape {
	prefixes := append([]string{}, places[kind]...)
	arch, _ := m.String("general.architecture")
	if _, several := m.Int("config.vision_config.hidden_size", "config.vision_config.num_hidden_layers"); kind == "vision" && !several {
		prefixes = append(prefixes, "config.") // a vision model of its own
	}
	prefixes = append(prefixes, arch+".")
	get := func(names ...string) int {
		for _, p := range prefixes {
			for _, n := range names {
				if v, ok := m.Int(p + n); ok && v > 0 && v <= maxDeclared {
					return v
				}
			}
		}
		return 0
	}
	s := shape{
		hidden:  get("hidden_size", "n_embd", "d_model", "dim", "embed_dim", "embedding_length"),
		heads:   get(kind+"_attention_heads", "num_"+kind+"_attention_heads", kind+"_num_attention_heads", "num_attention_heads", "n_head", "num_heads", "n_heads", "attention.head_count", "attention_heads", "decoder_attention_heads"),
		kvHeads: get(kind+"_num_key_value_heads", "num_key_value_heads", "num_kv_heads", "n_head_kv", "n_kv_heads", "multi_query_group_num", "attn_config.kv_n_heads", "attention.head_count_kv"),
		headDim: get("head_dim", "d_kv", "kv_channels", "attention.key_length"),
		rotated: get("rotary_dim", "rope.dimension_count"),
		nope:    get("qk_nope_head_dim"),
		rope:    get("qk_rope_head_dim"),
		vDim:    get("v_head_dim"),
		latent:  get("kv_lora_rank", "attention.kv_lora_rank"),
	}
	if s.latent > 0 && s.nope == 0 { // GGUF
		if key := get("attention.key_length_mla", "attention.key_length"); key > s.rotated {
			s.nope, s.rope = key-s.rotated, s.rotated
		}
		s.vDim = get("attention.value_length_mla", "attention.value_length")
	}
	for _, p := range prefixes {
		one, _ := m.Bool(p + "multi_query")
		s.oneKV = s.oneKV || one
	}
	return s
}

// partialRotary is the declared share of a head that is rotated, 0 if it is not
// declared.
func partialRotary(m tensor.Metadata, kind string) float64 {
	for _, p := range places[kind] {
		for _, n := range []string{"partial_rotary_factor", "rotary_pct", "rope_parameters.partial_rotary_factor", "rope_scaling.partial_rotary_factor"} {
			if f, ok := m[p+n].(float64); ok && f > 0 && f <= 1 {
				return f
			}
		}
	}
	return 0
}

// rotaryBase is the declared base of rotary frequencies, 0 if it is not declared.
func rotaryBase(m tensor.Metadata, kind string) float64 {
	arch, _ := m.String("general.architecture")
	for _, p := range append(append([]string{}, places[kind]...), arch+".") {
		for _, n := range []string{"rope_theta", "rotary_emb_base", "rope_parameters.rope_theta", "attn_config.rope_theta", "rope.freq_base"} {
			if v, ok := m.Int(p + n); ok && v > 1 {
				return float64(v)
			}
			if f, ok := m[p+n].(float64); ok && f > 1 && f < math.MaxFloat32 {
				return f
			}
		}
	}
	return 0
}
