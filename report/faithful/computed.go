package faithful

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// rotaryTable is the tensor of llama.cpp that divides rotary frequencies; its converter
// computes it from the configuration of models of the third Llama.
const rotaryTable = "rope_freqs.weight"

// tableSlack is what arithmetic in float32 may do to a factor, relatively.
const tableSlack = 1e-5

// computedTable tells whether a tensor of the quantised model is what a converter
// computes from the source's configuration: such tables have no counterpart, and one
// that does not follow from it would change what the model computes.
func computedTable(ctx context.Context, t *tensor.Tensor, source tensor.Metadata) (bool, error) {
	want := rotaryFactors(source)
	if t.Name != rotaryTable || int64(len(want)) != t.Len() {
		return false, nil
	}
	have := make([]float32, len(want))
	if err := t.Data.ReadValues(ctx, have, 0); err != nil {
		return false, err
	}
	for i, v := range have {
		if !(math.Abs(float64(v)-want[i]) <= tableSlack*want[i]) {
			return false, nil
		}
	}
	return true, nil
}

// rotaryFactors are the divisors of rotary frequencies that a configuration asks for
// (convert_hf_to_gguf.py, generate_extra_tensors; transformers, _compute_llama3_parameters),
// nil where it asks for none of this kind.
func rotaryFactors(m tensor.Metadata) []float64 {
	number := func(fallback float64, keys ...string) float64 {
		for _, p := range []string{"config.", "config.text_config."} {
			for _, k := range keys {
				if n, ok := m.Int(p + k); ok {
					return float64(n)
				}
				if f, ok := m[p+k].(float64); ok {
					return f
				}
			}
		}
		return fallback
	}
	scaling := func(name string, fallback float64) float64 {
		return number(fallback, "rope_scaling."+name, "rope_parameters."+name)
	}
	kind, _ := m.String("config.rope_scaling.rope_type", "config.rope_parameters.rope_type", "config.text_config.rope_scaling.rope_type", "config.text_config.rope_parameters.rope_type")
	heads := number(0, "num_attention_heads")
	dim := number(0, "head_dim")
	if dim == 0 && heads > 0 {
		dim = math.Floor(number(0, "hidden_size") / heads)
	}
	if kind != "llama3" || dim < 2 || dim > 1<<12 {
		return nil
	}
	factor, low, high := scaling("factor", 8), scaling("low_freq_factor", 1), scaling("high_freq_factor", 4)
	length, base := scaling("original_max_position_embeddings", 8192), number(10000, "rope_theta", "rope_parameters.rope_theta")
	var out []float64
	for i := 0.0; i < dim; i += 2 {
		wave := 2 * math.Pi * math.Pow(base, i/dim)
		f := 1.0
		switch {
		case wave > length/low:
			f = factor
		case wave >= length/high:
			smooth := (length/wave - low) / (high - low)
			f = 1 / ((1-smooth)/factor + smooth)
		}
		out = append(out, f)
	}
	return out
}
