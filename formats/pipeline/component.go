package pipeline

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// layout is a component as a file of several has it.
type layout struct {
	component string   // as the folder of diffusers is called
	prefix    string   // of its tensors' names
	marks     []string // names behind the prefix that only this layout has
	rules     []rule
	name      func(string) (string, bool) // in place of rules
}

// layouts lists the components of files that hold several. Of those for one
// component the first whose marks are there counts.
var layouts = []layout{
	{"unet", "model.diffusion_model.", []string{"input_blocks.0.0.weight"}, nil, unetName},
	{"transformer", "model.diffusion_model.", []string{"double_blocks.0.img_attn.qkv.weight"}, flux, nil},
	{"transformer", "model.diffusion_model.", []string{"joint_blocks.0.context_block.attn.qkv.weight"}, sd3, nil},
	{"transformer", "", []string{"double_blocks.0.img_attn.qkv.weight"}, flux, nil},
	{"transformer", "", []string{"joint_blocks.0.context_block.attn.qkv.weight"}, sd3, nil},
	{"unet", "", []string{"input_blocks.0.0.weight"}, nil, unetName}, // alone, as in GGUF files
	{"unet", "diffusion_model.", []string{"input_blocks.0.0.weight"}, nil, unetName},
	{"transformer", "diffusion_model.", []string{"double_blocks.0.img_attn.qkv.weight"}, flux, nil},
	{"transformer", "diffusion_model.", []string{"joint_blocks.0.context_block.attn.qkv.weight"}, sd3, nil},
	{"vae", "first_stage_model.", []string{"decoder.conv_in.weight"}, autoencoder, nil},
	{"vae", "vae.", []string{"decoder.conv_in.weight"}, autoencoder, nil},
	{"vae", "", []string{"decoder.up.0.block.0.conv1.weight"}, autoencoder, nil},
	{"text_encoder", "cond_stage_model.", []string{"transformer.text_model.embeddings.token_embedding.weight"}, clip, nil},
	{"text_encoder", "cond_stage_model.", []string{"model.token_embedding.weight"}, openCLIPH, nil},
	{"text_encoder", "conditioner.embedders.0.", []string{"transformer.text_model.embeddings.token_embedding.weight"}, clip, nil},
	{"text_encoder", "conditioner.embedders.0.", []string{"model.token_embedding.weight"}, openCLIP, nil}, // SDXL's refiner
	{"text_encoder_2", "conditioner.embedders.1.", []string{"model.token_embedding.weight"}, openCLIP, nil},
	{"text_encoder", "text_encoders.clip_l.", []string{"transformer.text_model.embeddings.token_embedding.weight"}, clip, nil},
	{"text_encoder_2", "text_encoders.clip_g.", []string{"transformer.text_model.embeddings.token_embedding.weight"}, clip, nil},
	{"text_encoder_3", "text_encoders.t5xxl.", []string{"transformer.shared.weight"}, plainText, nil},
}

// find returns the layouts that a model has, the first of each component.
func find(m tensor.Model) (out []*layout) {
	for i := range layouts {
		l := &layouts[i]
		known := slices.ContainsFunc(out, func(x *layout) bool { return x.component == l.component })
		missing := slices.ContainsFunc(l.marks, func(mark string) bool { _, ok := m.Tensor(l.prefix + mark); return !ok })
		if !known && !missing {
			out = append(out, l)
		}
	}
	return out
}

// Components lists the components that a model's one file holds, by the names of
// diffusers' folders; none for a model of another kind.
func Components(m tensor.Model) (names []string) {
	for _, l := range find(m) {
		names = append(names, l.component)
	}
	return names
}

// Select returns the tensors of one component as the folders of diffusers have
// them. label is how errors name the file. Errors: tensor.ErrNotModel where the
// file holds no such component, tensor.ErrFormat where a tensor that is to be cut
// has not the shape for it, or two tensors come out under one name.
func Select(m tensor.Model, component, label string) ([]*tensor.Tensor, error) {
	found := find(m)
	at := slices.IndexFunc(found, func(l *layout) bool { return l.component == component })
	if at < 0 {
		has := "no component that is known"
		if names := Components(m); len(names) > 0 {
			has = strings.Join(names, ", ")
		}
		return nil, tensor.Errorf(tensor.ErrNotModel, label, -1, "component", "%s is not among the components of this file, it holds %s", strconv.QuoteToASCII(component), has)
	}
	return found[at].tensors(m, label)
}

// tensors renames and cuts all tensors of the component.
func (l *layout) tensors(m tensor.Model, label string) (out []*tensor.Tensor, err error) {
	seen := map[string]bool{}
	for _, t := range m.Tensors() {
		name, ok := strings.CutPrefix(t.Name, l.prefix)
		if !ok {
			continue
		}
		made := l.made(m, t, name)
		if made == nil {
			return nil, tensor.Errorf(tensor.ErrFormat, label, -1, "tensor "+strconv.QuoteToASCII(t.Name), "the shape %v cannot be cut as this layout does", t.Shape)
		}
		for _, x := range made {
			if seen[x.Name] {
				return nil, tensor.Errorf(tensor.ErrFormat, label, -1, "tensor "+strconv.QuoteToASCII(t.Name), "two tensors stand for %s", strconv.QuoteToASCII(x.Name))
			}
			seen[x.Name] = true
		}
		out = append(out, made...)
	}
	return out, nil
}

// made are the tensors that one becomes: nil where it cannot be cut, none where it
// is no weight.
func (l *layout) made(m tensor.Model, t *tensor.Tensor, name string) []*tensor.Tensor {
	if l.name != nil {
		if to, ok := l.name(name); ok {
			name = to
		}
		return whole(t, []string{name}, 0)
	}
	names, how, ok := apply(l.rules, name)
	switch {
	case !ok:
		return whole(t, []string{name}, 0)
	case len(names) == 0:
		return []*tensor.Tensor{}
	case how == nil:
		how = whole
	}
	for i := range names {
		names[i] = l.turnedRound(m, names[i])
	}
	return how(t, names, l.width(m, t.Name))
}

// width is the number of inputs of the matrix that a tensor is, or whose bias it is.
func (l *layout) width(m tensor.Model, name string) int64 {
	if stem, ok := strings.CutSuffix(name, ".bias"); ok {
		name = stem + ".weight"
	}
	if t, ok := m.Tensor(name); ok && len(t.Shape) == 2 {
		return t.Shape[1]
	}
	return 0
}

// turnedRound counts a decoder's blocks from the other end.
func (l *layout) turnedRound(m tensor.Model, name string) string {
	before, rest, ok := strings.Cut(name, "up:")
	if !ok {
		return name
	}
	digits, rest, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	last := l.blocks(m) - 1
	if err != nil || n > last {
		return before + digits + "." + rest
	}
	return before + strconv.Itoa(last-n) + "." + rest
}

// blocks counts the decoder's blocks.
func (l *layout) blocks(m tensor.Model) int {
	n := 0
	for n < 64 {
		if _, ok := m.Tensor(l.prefix + "decoder.up." + strconv.Itoa(n) + ".block.0.conv1.weight"); !ok {
			break
		}
		n++
	}
	return n
}
