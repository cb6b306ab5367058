package packtest

import (
	"bytes"
	"context"
	"math"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Model is a folder that was never written: stored tensors over memory.
type Model struct {
	Meta    tensor.Metadata
	tensors []*tensor.Tensor
}

// Model returns the folder's tensors as a reader of its file would give them.
// It panics on element types that do not exist.
func (f *Folder) Model(meta tensor.Metadata) *Model {
	m := &Model{Meta: meta}
	for _, e := range f.entries {
		d, ok := tensor.ParseDType(e.dtype)
		if !ok {
			panic("packtest: type " + e.dtype)
		}
		m.tensors = append(m.tensors, &tensor.Tensor{Name: e.name, DType: d, Shape: e.shape, Data: &tensor.Stored{
			File: "memory", Name: e.name, R: bytes.NewReader(e.data), Bytes: int64(len(e.data)), DType: d,
		}})
	}
	return m
}

// Tensors lists the tensors in the order they were added.
func (m *Model) Tensors() []*tensor.Tensor { return m.tensors }

// Tensor returns the tensor of that name.
func (m *Model) Tensor(name string) (*tensor.Tensor, bool) {
	for _, t := range m.tensors {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Metadata returns Meta.
func (m *Model) Metadata() tensor.Metadata { return m.Meta }

// Smoothed is a Llama-like model with every norm gain divided, input by
// input, by what the matrices behind it are multiplied by, as AWQ and
// SmoothQuant do before they round: the same function, other values.
func Smoothed(ctx context.Context, m tensor.Model) (*Model, error) {
	norms := map[string]string{"input_layernorm": "self_attn.q_proj self_attn.k_proj self_attn.v_proj", "post_attention_layernorm": "mlp.gate_proj mlp.up_proj"}
	var f Folder
	for _, t := range m.Tensors() {
		v := make([]float32, t.Len())
		if err := t.Data.ReadValues(ctx, v, 0); err != nil {
			return nil, err
		}
		cols := int(t.Cols())
		for norm, readers := range norms {
			_, place, _ := strings.Cut(strings.TrimSuffix(t.Name, ".weight"), ".layers.")
			_, place, _ = strings.Cut(place, ".")
			for i := range v {
				if place == norm {
					v[i] /= factor(norm, i)
				} else if place != "" && strings.Contains(readers, place) {
					v[i] *= factor(norm, i%cols)
				}
			}
		}
		f.Add(t.Name, "F32", f32s(v), t.Shape...)
	}
	return f.Model(m.Metadata()), nil
}

// factor is what input i behind a norm is multiplied by, between ½ and 2.
func factor(norm string, i int) float32 {
	return float32(math.Exp2(math.Sin(float64(7*i + len(norm)))))
}
