package packed_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/internal/packtest"
)

// What runtimes keep beside the weights is set aside and named; what is too
// large for that stays, whatever its name.
func TestAuxiliary(t *testing.T) {
	var f packtest.Folder
	f.Floats("layers.0.q_proj.weight", make([]float32, 16), 4, 4)
	f.Floats("layers.0.self_attn.k_scale", []float32{1})
	f.Floats("layers.0.self_attn.v_scale", []float32{1}, 1)
	f.Add("scaled_fp8", "F8_E4M3", make([]byte, 2), 2)
	f.Floats("layers.0.hidden.k_scale", make([]float32, 16), 4, 4)
	f.Floats("layers.0.long.k_scale", make([]float32, 2000), 2000)
	f.Floats("layers.0.wide.input_scale", make([]float32, 4), 4)
	m := unpack(t, f.Model(meta(nil)))
	require.Zero(t, m.Packed)
	var names []string
	for _, x := range m.Tensors() {
		names = append(names, x.Name)
	}
	require.Equal(t, []string{"layers.0.q_proj.weight", "layers.0.hidden.k_scale", "layers.0.long.k_scale", "layers.0.wide.input_scale"}, names)
	names = nil
	for _, a := range m.Auxiliary() {
		names = append(names, a.Tensor.Name+": "+a.Reason)
	}
	require.Equal(t, []string{
		"layers.0.self_attn.k_scale: a scale of cached keys or values",
		"layers.0.self_attn.v_scale: a scale of cached keys or values",
		"scaled_fp8: ComfyUI's mark of scaled FP8 weights",
	}, names)
	require.Equal(t, []string{
		"set aside as no weights: layers.0.self_attn.k_scale and 1 more (a scale of cached keys or values)",
		"set aside as no weights: scaled_fp8 (ComfyUI's mark of scaled FP8 weights)",
	}, m.Warnings)
	_, ok := m.Tensor("scaled_fp8")
	require.False(t, ok)

	var plain packtest.Folder
	plain.Floats("w.weight", make([]float32, 16), 4, 4)
	none, err := packed.Unpack(context.Background(), plain.Model(meta(nil)))
	require.NoError(t, err)
	require.Nil(t, none)
}
