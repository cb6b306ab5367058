package packed

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// adapterKind is what a tensor of an adapter is to its module.
type adapterKind string

// Kinds of tensors.
const (
	partWhole      adapterKind = "whole" // stands in place of the base's
	partA          adapterKind = "A"     // rank × inputs
	partB          adapterKind = "B"     // outputs × rank
	partTurnedA    adapterKind = "Aᵀ"    // MLX: inputs × rank
	partTurnedB    adapterKind = "Bᵀ"    // MLX: rank × outputs
	partEmbeddingA adapterKind = "embedding A"
	partEmbeddingB adapterKind = "embedding B"
	partLengths    adapterKind = "lengths" // DoRA
	partAlpha      adapterKind = "alpha"
	partDiff       adapterKind = "difference"
	partUnread     adapterKind = "unread"
)

// adapterWords lists the last words of the names that PEFT, kohya's scripts,
// LyCORIS, diffusers, ComfyUI, MLX and llama.cpp give to an adapter's tensors.
var adapterWords = map[string]adapterKind{
	"lora_A": partA, "lora_B": partB, "lora_down": partA, "lora_up": partB,
	"lora.down": partA, "lora.up": partB, "lora_linear_layer.down": partA, "lora_linear_layer.up": partB,
	"weight.lora_a": partA, "weight.lora_b": partB, "lora_a": partTurnedA, "lora_b": partTurnedB,
	"lora_embedding_A": partEmbeddingA, "lora_embedding_B": partEmbeddingB,
	"lora_magnitude_vector": partLengths, "dora_scale": partLengths, "m": partLengths, "alpha": partAlpha, "diff": partDiff,
	"hada_w1_a": "hada_w1_a", "hada_w1_b": "hada_w1_b", "hada_w2_a": "hada_w2_a", "hada_w2_b": "hada_w2_b",
	"lokr_w1": "lokr_w1", "lokr_w1_a": "lokr_w1_a", "lokr_w1_b": "lokr_w1_b", "lokr_w2": "lokr_w2", "lokr_w2_a": "lokr_w2_a", "lokr_w2_b": "lokr_w2_b",
	"hada_t1": partUnread, "hada_t2": partUnread, "lokr_t2": partUnread, "lora_mid": partUnread, "lora_E": partUnread, "lora_ranknum": partUnread,
	"ia3_l": partUnread, "vera_lambda_b": partUnread, "vera_lambda_d": partUnread, "oft_r": partUnread, "oft_R": partUnread, "oft_blocks": partUnread, "boft_R": partUnread, "boft_s": partUnread,
	"prompt_embeddings": partUnread, "token_adapter.trainable_tokens_delta": partUnread, "diff_b": partUnread, "set_weight": partUnread, "reshape_weight": partUnread,
}

// adapterPrefixes stand before the base's own names.
var adapterPrefixes = []string{"base_model.model.", "base_model."}

func hasAdapterPrefix(name string) bool {
	return slices.ContainsFunc(adapterPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// part is one tensor's name taken apart.
type adapterName struct {
	module string // the base's name, without ".weight"
	kind   adapterKind
}

// adapterPart takes a name apart: module, kind, perhaps the adapter's name and
// ".weight".
func adapterPart(name string) adapterName {
	stem := name
	for _, p := range adapterPrefixes {
		if s, ok := strings.CutPrefix(stem, p); ok {
			stem = s
			break
		}
	}
	whole := adapterName{savedName(stem), partWhole}
	stem = strings.TrimSuffix(stem, ".weight")
	for range 2 { // with and without the name of the adapter
		words := strings.Split(stem, ".")
		for n := min(2, len(words)-1); n >= 1; n-- {
			kind, ok := adapterWords[strings.Join(words[len(words)-n:], ".")]
			if ok && !(kind == partAlpha && strings.HasSuffix(name, ".weight")) {
				return adapterName{strings.TrimSuffix(strings.Join(words[:len(words)-n], "."), ".weight"), kind}
			}
		}
		i := strings.LastIndexByte(stem, '.')
		if i < 0 {
			break
		}
		stem = stem[:i]
		if !strings.Contains(name, "lora_") && !strings.Contains(name, "hada_") && !strings.Contains(name, "lokr_") {
			break
		}
	}
	return whole
}

// savedName is the base's name of a tensor that was trained whole.
func savedName(name string) string {
	words := strings.Split(name, ".")
	if i := slices.Index(words, "modules_to_save"); i >= 0 {
		out := slices.Clone(words[:i])
		rest := words[i+1:]
		if len(rest) > 1 {
			rest = rest[1:] // the adapter's name
		}
		return strings.Join(append(out, rest...), ".")
	}
	return strings.Replace(name, ".base_layer.", ".", 1)
}

// adapterModule is the tensors of an adapter that belong to one module.
type adapterModule struct {
	name  string
	parts map[adapterKind]*tensor.Tensor
	bytes int64
}

func (m *adapterModule) fail(class error, rule string, args ...any) error {
	return tensor.Errorf(class, "adapter", -1, "module "+escape.Printable(m.name), rule, args...)
}

// sortAdapter groups the adapter's tensors by module, by name.
func sortAdapter(adapter tensor.Model) ([]*adapterModule, error) {
	byName := map[string]*adapterModule{}
	all := slices.SortedStableFunc(slices.Values(adapter.Tensors()), func(a, b *tensor.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range all {
		p := adapterPart(t.Name)
		if p.kind == partUnread {
			return nil, tensor.Errorf(tensor.ErrUnsupported, "adapter", -1, "tensor "+escape.Printable(t.Name), "this kind of adapter is not read")
		}
		key := p.module
		if p.kind == partWhole {
			key = "=" + p.module // beside the module's own changes
		}
		m := byName[key]
		if m == nil {
			m = &adapterModule{name: p.module, parts: map[adapterKind]*tensor.Tensor{}}
			byName[key] = m
		}
		if m.parts[p.kind] != nil {
			return nil, m.fail(tensor.ErrFormat, "two tensors are its %s: %s and %s", p.kind, escape.Printable(m.parts[p.kind].Name), escape.Printable(t.Name))
		}
		m.parts[p.kind] = t
		m.bytes += t.StoredBytes()
	}
	out := make([]*adapterModule, 0, len(byName))
	for _, key := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[key])
	}
	return out, nil
}

// places finds modules in a base.
type places struct {
	byName map[string]*tensor.Tensor
	flat   map[string][]*tensor.Tensor // by what follows each dot, dots as underscores
	ends   map[string][]*tensor.Tensor // by what follows each dot
}

func newPlaces(base tensor.Model) *places {
	p := &places{byName: map[string]*tensor.Tensor{}, flat: map[string][]*tensor.Tensor{}, ends: map[string][]*tensor.Tensor{}}
	for _, t := range base.Tensors() {
		p.byName[t.Name] = t
		stem, ok := strings.CutSuffix(t.Name, ".weight")
		if !ok {
			continue
		}
		p.byName[stem] = t
		for rest := stem; ; {
			p.ends[rest] = append(p.ends[rest], t)
			f := strings.ReplaceAll(rest, ".", "_")
			p.flat[f] = append(p.flat[f], t)
			i := strings.IndexByte(rest, '.')
			if i < 0 {
				break
			}
			rest = rest[i+1:]
		}
	}
	return p
}

// families are what kohya's and diffusers' names put before a part of a
// pipeline.
var (
	flatPrefixes = []string{"lora_unet_", "lora_te1_", "lora_te2_", "lora_te3_", "lora_te_", "lora_transformer_", "lora_prior_unet_", "lycoris_"}
	dotPrefixes  = []string{"diffusion_model.", "unet.", "transformer.", "text_encoder.", "text_encoder_2.", "model.diffusion_model."}
)

// find returns the base's tensor that a module changes. Names that kohya's
// scripts flattened, or that have another prefix, must fit one tensor only.
func (p *places) find(m *adapterModule) (*tensor.Tensor, error) {
	if t := p.byName[m.name]; t != nil {
		return t, nil
	}
	var found []*tensor.Tensor
	for _, prefix := range flatPrefixes {
		if rest, ok := strings.CutPrefix(m.name, prefix); ok {
			found = p.flat[rest]
			break
		}
	}
	if found == nil && m.parts[partWhole] == nil {
		name := m.name
		for _, prefix := range dotPrefixes {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				name = rest
				break
			}
		}
		found = p.ends[name]
	}
	switch len(found) {
	case 0:
		return nil, m.fail(tensor.ErrFormat, "the base has no such matrix")
	case 1:
		return found[0], nil
	}
	return nil, m.fail(tensor.ErrFormat, "several of the base's tensors have names that fit: %s and %s", escape.Printable(found[0].Name), escape.Printable(found[1].Name))
}
