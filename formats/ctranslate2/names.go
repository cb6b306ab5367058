package ctranslate2

import (
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// names are how the transformers library calls what stands at a place of a layer, or outside the
// layers. Several names stand for parts that are cut apart.
type names struct {
	layers         string // before the layer's number, in place of the tower's name
	inside, around map[string]string
}

// Encoders and decoders of speech and translation, such as Whisper, BART and Marian.
var both = names{layers: ".layers.",
	inside: map[string]string{
		"self_attention.linear_0": "self_attn.q_proj self_attn.k_proj self_attn.v_proj", "self_attention.linear_1": "self_attn.out_proj", "self_attention.layer_norm": "self_attn_layer_norm",
		"attention.linear_0": "encoder_attn.q_proj", "attention.linear_1": "encoder_attn.k_proj encoder_attn.v_proj", "attention.linear_2": "encoder_attn.out_proj", "attention.layer_norm": "encoder_attn_layer_norm",
		"ffn.linear_0": "fc1", "ffn.linear_1": "fc2", "ffn.layer_norm": "final_layer_norm",
	},
	around: map[string]string{"embeddings": "embed_tokens", "embeddings_0": "embed_tokens", "position_encodings": "embed_positions", "layernorm_embedding": "layernorm_embedding", "projection": "proj_out"},
}

// T5 and its kin. The "#" of an MLP's place is 1 in encoders and 2 in decoders, which have one more.
var relative = names{layers: ".block.",
	inside: map[string]string{
		"self_attention.linear_0": "layer.0.SelfAttention.q layer.0.SelfAttention.k layer.0.SelfAttention.v", "self_attention.linear_1": "layer.0.SelfAttention.o", "self_attention.layer_norm": "layer.0.layer_norm",
		"self_attention.relative_attention_bias": "layer.0.SelfAttention.relative_attention_bias",
		"attention.linear_0":                     "layer.1.EncDecAttention.q", "attention.linear_1": "layer.1.EncDecAttention.k layer.1.EncDecAttention.v", "attention.linear_2": "layer.1.EncDecAttention.o", "attention.layer_norm": "layer.1.layer_norm",
		"ffn.linear_0": "layer.#.DenseReluDense.wi_0", "ffn.linear_0_noact": "layer.#.DenseReluDense.wi_1", "ffn.linear_1": "layer.#.DenseReluDense.wo", "ffn.layer_norm": "layer.#.layer_norm",
	},
	around: map[string]string{"embeddings": "embed_tokens", "embeddings_0": "embed_tokens", "layer_norm": "final_layer_norm", "projection": "lm_head"},
}

// Encoders such as BERT.
var encoders = names{layers: ".layer.",
	inside: map[string]string{
		"self_attention.linear_0": "attention.self.query attention.self.key attention.self.value", "self_attention.linear_1": "attention.output.dense", "self_attention.layer_norm": "attention.output.LayerNorm",
		"ffn.linear_0": "intermediate.dense", "ffn.linear_1": "output.dense", "ffn.layer_norm": "output.LayerNorm",
	},
	around: map[string]string{"embeddings_0": "embeddings.word_embeddings", "embeddings_1": "embeddings.token_type_embeddings", "position_encodings": "embeddings.position_embeddings", "layernorm_embedding": "embeddings.LayerNorm"},
}

// Decoders alone, such as Llama and Mistral.
var decoders = names{layers: "model.layers.",
	inside: map[string]string{
		"self_attention.linear_0": "self_attn.q_proj self_attn.k_proj self_attn.v_proj", "self_attention.linear_1": "self_attn.o_proj", "self_attention.layer_norm": "input_layernorm",
		"self_attention.q_norm": "self_attn.q_norm", "self_attention.k_norm": "self_attn.k_norm",
		"ffn.linear_0": "mlp.gate_proj", "ffn.linear_0_noact": "mlp.up_proj", "ffn.linear_1": "mlp.down_proj", "ffn.layer_norm": "post_attention_layernorm",
		"input_layer_norm": "input_layernorm", "post_attention_layer_norm": "post_attention_layernorm",
		"pre_feedforward_layer_norm": "pre_feedforward_layernorm", "post_feedforward_layer_norm": "post_feedforward_layernorm",
	},
	around: map[string]string{"embeddings": "model.embed_tokens", "position_encodings": "model.embed_positions", "layer_norm": "model.norm", "projection": "lm_head"},
}

// gateless are the places of MLPs of two matrices.
var gateless = map[*names]map[string]string{
	&decoders: {"ffn.linear_0": "mlp.fc1", "ffn.linear_1": "mlp.fc2"},
	&relative: {"ffn.linear_0": "layer.#.DenseReluDense.wi"},
}

// specifications says which names a kind of model has. Others keep theirs, with dots.
var specifications = map[string]*names{
	"WhisperSpec": &both, "TransformerSpec": &both, "TransformerEncoderSpec": &encoders, "TransformerDecoderSpec": &decoders, "TransformerDecoderModelSpec": &decoders,
}

// layout is how the variables of one model are called and cut.
type layout struct {
	*names
	gated  bool
	shared string // the variable that embeds what goes into encoder and decoder, if there is one
	meta   tensor.Metadata
}

// layoutOf finds the layout, and declares what a config.json would. other are further names of
// variables.
func layoutOf(x *reader, meta tensor.Metadata, other map[string]string) *layout {
	l := &layout{names: specifications[x.spec], meta: meta}
	for name := range x.byName {
		l.gated = l.gated || strings.HasSuffix(name, "ffn/linear_0_noact/weight")
	}
	if _, t5 := x.byName["encoder/layer_0/self_attention/relative_attention_bias"]; t5 && l.names == &both {
		l.names = &relative
	}
	if of := other["encoder/embeddings_0/weight"]; of == "decoder/embeddings/weight" {
		l.shared = of
	}
	if kind := l.kind(x); kind != "" {
		meta["config.model_type"] = kind
	}
	l.declareHeads()
	return l
}

// kind is the type of model that the specification and its flags speak of.
func (l *layout) kind(x *reader) string {
	_, shifted := x.byName["decoder/layer_0/self_attention/layer_norm/beta"]
	before, declared := l.meta.Int("ctranslate2.encoder.pre_norm", "ctranslate2.decoder.pre_norm")
	switch {
	case x.spec == "WhisperSpec":
		return "whisper"
	case l.names == &relative:
		return "t5"
	case l.names == &both && declared && before == 0:
		return "marian"
	case l.names == &both:
		return "mbart"
	case l.names == &encoders:
		return "bert"
	case l.names == &decoders && shifted:
		return "opt"
	case l.names == &decoders:
		return "llama"
	}
	return ""
}

// headKeys are keys of a config.json for numbers that the file holds, of models with both towers
// and of others.
var headKeys = []struct {
	both bool
	key  string
	from []string
}{
	{true, "encoder_attention_heads", []string{"encoder.num_heads"}}, {true, "decoder_attention_heads", []string{"decoder.num_heads"}},
	{false, "num_attention_heads", []string{"decoder.num_heads", "encoder.num_heads"}},
	{false, "num_key_value_heads", []string{"decoder.layer_0.self_attention.num_heads_kv", "decoder.num_heads_kv"}},
	{false, "head_dim", []string{"decoder.layer_0.self_attention.head_dim", "decoder.head_dim"}},
}

func (l *layout) declareHeads() {
	for _, k := range headKeys {
		for _, from := range k.from {
			if n, ok := l.meta.Int("ctranslate2." + from); ok && n > 0 && k.both == (l.names == &both || l.names == &relative) {
				l.meta["config."+k.key] = int64(n)
				break
			}
		}
	}
}

// endings are the last words of variables, as torch has them.
var endings = map[string]string{"weight": ".weight", "bias": ".bias", "gamma": ".weight", "beta": ".bias", "encodings": ".weight"}

// parts are the tensors that a variable is cut into, one for most.
func (l *layout) parts(v *variable) []part {
	words := strings.Split(v.name, "/")
	last := len(words) - 1
	ending, ok := endings[words[last]]
	if words[last] == "relative_attention_bias" {
		last, ending, ok = last+1, ".weight", true
	}
	if l.names == nil || !ok || last < 2 || words[0] != "encoder" && words[0] != "decoder" {
		return []part{{strings.Join(words, "."), 0, v.shape[0]}}
	}
	number, inLayer := strings.CutPrefix(words[1], "layer_")
	if inLayer && last > 2 && digits(number) {
		if to, ok := l.within(words[0], strings.Join(words[2:last], ".")); ok {
			return l.cut(v, words, strings.Fields(to), l.before(words[0])+number+".", ending)
		}
		return []part{{strings.Join(words, "."), 0, v.shape[0]}}
	}
	return []part{{l.outside(v.name, words[0], strings.Join(words[1:last], ".")) + ending, 0, v.shape[0]}}
}

// before is what stands before a layer's number.
func (l *layout) before(tower string) string {
	if l.layers[0] == '.' {
		return tower + l.layers
	}
	return l.layers
}

// outside is the name of what stands outside the layers.
func (l *layout) outside(name, tower, stem string) string {
	to, known := l.around[stem]
	switch {
	case name == l.shared && known:
		return "shared"
	case !known:
		return tower + "." + stem
	case strings.Contains(to, ".") || to == "proj_out" || to == "lm_head":
		return to
	}
	return tower + "." + to
}

// within is the name of a place of a layer.
func (l *layout) within(tower, place string) (string, bool) {
	to, ok := gateless[l.names][place]
	if !ok || l.gated {
		to, ok = l.inside[place]
	}
	mlp := "1"
	if tower == "decoder" {
		mlp = "2"
	}
	return strings.ReplaceAll(to, "#", mlp), ok
}

// cut divides rows among queries, keys and values. Where their numbers are not known they stay
// together.
func (l *layout) cut(v *variable, words, to []string, before, ending string) []part {
	sizes := []int64{v.shape[0]}
	switch len(to) {
	case 2:
		sizes = halves(v.shape[0])
	case 3:
		sizes = l.heads(v.shape[0], words)
	}
	if sizes == nil {
		return []part{{before + to[0][:strings.LastIndexByte(to[0], '.')] + ".qkv_proj" + ending, 0, v.shape[0]}}
	}
	var out []part
	first := int64(0)
	for i, n := range sizes {
		out = append(out, part{before + to[i] + ending, first, n})
		first += n
	}
	return out
}

func halves(rows int64) []int64 {
	if rows%2 != 0 {
		return nil
	}
	return []int64{rows / 2, rows / 2}
}

// heads divides rows by the numbers of heads: that of keys and values is declared for the
// attention, or for the tower, or is that of queries.
func (l *layout) heads(rows int64, words []string) []int64 {
	scope := "ctranslate2." + strings.Join(words[:3], ".") + "."
	q, _ := l.meta.Int("ctranslate2." + words[0] + ".num_heads")
	kv, _ := l.meta.Int(scope+"num_heads_kv", "ctranslate2."+words[0]+".num_heads_kv")
	if kv <= 0 {
		q, kv = 1, 1
	}
	all := int64(q) + 2*int64(kv)
	if q <= 0 || rows%all != 0 {
		return nil
	}
	each := rows / all
	return []int64{int64(q) * each, int64(kv) * each, int64(kv) * each}
}

// digits tells a number.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
