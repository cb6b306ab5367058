package formats

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Gemma of big_vision and of DeepMind keeps what one einsum multiplies in one tensor: queries as
// heads × inputs × units, keys above values, and gates above what is opened. Each is viewed as the
// kernel that Flax's modules would have, so that its rows are units: under the einsum's own name, as
// PaliGemma's conversion for transformers takes it apart.

// einsum is a tensor of such a layer. Its axes are letters, D for the residual stream's; the first
// axis counts the parts, where there are several.
type einsum struct {
	end, norm string   // of its name, and of the layer's norm, which is as long as D
	axes      string   // of one part as it lies
	as        string   // of one part as it is viewed
	parts     []string // what the views are called
}

var einsums = []einsum{
	{"attn.q_einsum.w", "pre_attention_norm.scale", "NDH", "DNH", []string{"attn.q_einsum.kernel"}},
	{"attn.kv_einsum.w", "pre_attention_norm.scale", "KDH", "DKH", []string{"attn.k_einsum.kernel", "attn.v_einsum.kernel"}},
	{"attn.qkv_einsum.w", "pre_attention_norm.scale", "NDH", "DNH", []string{"attn.q_einsum.kernel", "attn.k_einsum.kernel", "attn.v_einsum.kernel"}},
	{"attn.attn_vec_einsum.w", "pre_attention_norm.scale", "NHD", "NHD", []string{"attn.attn_vec_einsum.kernel"}},
	{"mlp.gating_einsum", "pre_ffw_norm.scale", "DF", "DF", []string{"mlp.gate_einsum.kernel", "mlp.up_einsum.kernel"}},
	{"mlp.gating_einsum", "pre_ffw_norm.scale", "FD", "DF", []string{"mlp.gate_einsum.kernel", "mlp.up_einsum.kernel"}},
	{"mlp.gating_einsum.w", "pre_ffw_norm.scale", "DF", "DF", []string{"mlp.gate_einsum.kernel", "mlp.up_einsum.kernel"}},
	{"mlp.gating_einsum.w", "pre_ffw_norm.scale", "FD", "DF", []string{"mlp.gate_einsum.kernel", "mlp.up_einsum.kernel"}},
	{"mlp.linear", "pre_ffw_norm.scale", "FD", "FD", []string{"mlp.linear.kernel"}},
	{"mlp.linear.w", "pre_ffw_norm.scale", "FD", "FD", []string{"mlp.linear.kernel"}},
}

// einsums puts the kernels in place of the tensors that are einsums' without doubt.
func (op *opener) einsums() error {
	if !slices.ContainsFunc(op.c.tensors, func(t *tensor.Tensor) bool { return strings.Contains(t.Name, "_einsum") }) {
		return nil
	}
	var all []*tensor.Tensor
	for _, t := range op.c.tensors {
		all = append(all, op.kernels(t)...)
	}
	if _, twice := names(nil).with(all); twice == nil {
		op.c.setTensors(all)
	}
	return nil
}

// kernels are the views of one tensor, or the tensor where it is none of the einsums, or several.
func (op *opener) kernels(t *tensor.Tensor) []*tensor.Tensor {
	var found []*tensor.Tensor
	for _, e := range einsums {
		views := op.views(t, e)
		if views == nil {
			continue
		}
		if found != nil {
			return []*tensor.Tensor{t} // both axes are as long as the residual stream
		}
		found = views
	}
	if found == nil {
		return []*tensor.Tensor{t}
	}
	return found
}

// views are one einsum's kernels, nil if the tensor is not this one.
func (op *opener) views(t *tensor.Tensor, e einsum) (out []*tensor.Tensor) {
	separated := func(s string) string { return s }
	if strings.Contains(t.Name, "/") {
		separated = func(s string) string { return strings.ReplaceAll(s, ".", "/") }
	}
	before, ok := strings.CutSuffix(t.Name, separated(e.end))
	norm, known := op.c.Tensor(before + separated(e.norm))
	if !ok || !known || len(norm.Shape) != 1 || len(t.Name) > maxStackedName {
		return nil
	}
	shape, strides := t.Shape, stridesOf(t.Shape)
	if n := int64(len(e.parts)); n > 1 {
		if len(shape) == 0 || shape[0] != n {
			return nil
		}
		shape, strides = shape[1:], strides[1:]
	}
	if len(shape) != len(e.axes) || shape[strings.Index(e.axes, "D")] != norm.Shape[0] {
		return nil
	}
	dims, steps := make([]int64, len(shape)), make([]int64, len(shape))
	for i := range shape {
		from := strings.IndexByte(e.axes, e.as[i])
		dims[i], steps[i] = shape[from], strides[from]
	}
	per, _ := tensor.Elements(shape)
	for i, name := range e.parts {
		out = append(out, newStrided(t, before+separated(name), int64(i)*per, dims, steps))
	}
	return out
}
