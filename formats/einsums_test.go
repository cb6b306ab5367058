package formats

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// counted is a tensor whose values are their places.
func counted(name string, shape ...int64) *tensor.Tensor {
	n, _ := tensor.Elements(shape)
	values := make(tensor.Values, n)
	for i := range values {
		values[i] = float32(i)
	}
	return &tensor.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: values}
}

// read gives back a tensor's values.
func read(t *testing.T, x *tensor.Tensor) []float32 {
	out := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(context.Background(), out, 0))
	return out
}

// Layers of big_vision's Gemma: two, a stream of 3 values, two heads of 4 units and one of keys, five
// hidden units.
func gemma(separator string) []*tensor.Tensor {
	all := []*tensor.Tensor{
		counted("llm/layers/attn/q_einsum/w", 2, 2, 3, 4), counted("llm/layers/attn/kv_einsum/w", 2, 2, 1, 3, 4),
		counted("llm/layers/attn/attn_vec_einsum/w", 2, 2, 4, 3), counted("llm/layers/mlp/gating_einsum", 2, 2, 3, 5),
		counted("llm/layers/mlp/linear", 2, 5, 3), counted("llm/layers/pre_attention_norm/scale", 2, 3), counted("llm/layers/pre_ffw_norm/scale", 2, 3),
	}
	for _, x := range all {
		x.Name = strings.ReplaceAll(x.Name, "/", separator)
	}
	return all
}

// Every value is where the definition of the einsum has it: of layer 1, by hand.
func TestEinsums(t *testing.T) {
	for _, separator := range []string{"/", "."} {
		op := &opener{c: &Checkpoint{}}
		op.c.setTensors(gemma(separator))
		require.NoError(t, op.unstack())
		require.NoError(t, op.einsums())
		require.Len(t, op.c.tensors, 18)
		for name, at := range map[string]struct {
			shape []int64
			place func(i, j, k int) int // of an entry in the tensor of all layers
		}{
			"attn/q_einsum/kernel":        {[]int64{3, 2, 4}, func(d, n, h int) int { return ((1*2+n)*3+d)*4 + h }},
			"attn/k_einsum/kernel":        {[]int64{3, 1, 4}, func(d, n, h int) int { return ((1*2+0+n)*3+d)*4 + h }},
			"attn/v_einsum/kernel":        {[]int64{3, 1, 4}, func(d, n, h int) int { return ((1*2+1+n)*3+d)*4 + h }},
			"attn/attn_vec_einsum/kernel": {[]int64{2, 4, 3}, func(n, h, d int) int { return ((1*2+n)*4+h)*3 + d }},
			"mlp/gate_einsum/kernel":      {[]int64{1, 3, 5}, func(_, d, f int) int { return ((1*2+0)*3+d)*5 + f }},
			"mlp/up_einsum/kernel":        {[]int64{1, 3, 5}, func(_, d, f int) int { return ((1*2+1)*3+d)*5 + f }},
			"mlp/linear/kernel":           {[]int64{1, 5, 3}, func(_, f, d int) int { return (1*5+f)*3 + d }},
		} {
			x, ok := op.c.Tensor(strings.ReplaceAll("llm/layers/1/"+name, "/", separator))
			require.True(t, ok, name)
			var want []float32
			for i := range int(at.shape[0]) {
				for j := range int(at.shape[1]) {
					for k := range int(at.shape[2]) {
						want = append(want, float32(at.place(i, j, k)))
					}
				}
			}
			require.Equal(t, want, read(t, x), name)
			shape := at.shape
			if shape[0] == 1 {
				shape = shape[1:]
			}
			require.Equal(t, shape, x.Shape, name)
		}
	}
}

// DeepMind's files keep layers apart, modules around matrices, and newer ones gates as outputs ×
// inputs: which of both the length of the norm says, and where it does not, they stay as they are.
func TestEinsumsApart(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int64
		width int64
		views string // their names behind the layer's, and the shape
		third float32
	}{
		{"mlp/gating_einsum/w", []int64{2, 3, 5}, 3, "mlp/gate_einsum/kernel mlp/up_einsum/kernel", 2},
		{"mlp/gating_einsum/w", []int64{2, 5, 3}, 3, "mlp/gate_einsum/kernel mlp/up_einsum/kernel", 6},
		{"mlp/gating_einsum", []int64{2, 5, 3}, 3, "mlp/gate_einsum/kernel mlp/up_einsum/kernel", 6},
		{"mlp/gating_einsum/w", []int64{2, 3, 3}, 3, "", 0},
		{"mlp/gating_einsum/w", []int64{3, 3, 5}, 3, "", 0},
		{"mlp/gating_einsum/w", []int64{3, 5}, 3, "", 0},
		{"mlp/gating_einsum/w", []int64{}, 3, "", 0},
		{"mlp/gating_einsum/w", []int64{2, 4, 5}, 3, "", 0},
		{"mlp/linear/w", []int64{5, 3}, 3, "mlp/linear/kernel", 2},
		{"mlp/linear/w", []int64{3, 5}, 3, "", 0},
		{"attn/qkv_einsum/w", []int64{3, 2, 3, 4}, 3, "attn/q_einsum/kernel attn/k_einsum/kernel attn/v_einsum/kernel", 2},
		{"attn/qkv_einsum/w", []int64{3, 2, 4, 3}, 3, "", 0},
		{"attn/q_einsum/w", []int64{2, 3, 4, 5}, 3, "", 0},
		{"attn/q_einsum/w", []int64{2, 3, 4}, 4, "", 0},
		{"attn/q_einsum_1/w", []int64{2, 3, 4}, 3, "", 0},
	} {
		op := &opener{c: &Checkpoint{}}
		all := []*tensor.Tensor{counted("layer_0/"+c.name, c.shape...), counted("layer_0/pre_attention_norm/scale", c.width), counted("layer_0/pre_ffw_norm/scale", c.width), counted("some_einsum/w", 2)}
		op.c.setTensors(all)
		require.NoError(t, op.einsums())
		views := strings.Fields(c.views)
		if len(views) == 0 {
			require.Equal(t, all, op.c.tensors, c)
			continue
		}
		require.Len(t, op.c.tensors, len(views)+3)
		for i, v := range views {
			require.Equal(t, "layer_0/"+v, op.c.tensors[i].Name)
			require.Equal(t, float32(i)*float32(op.c.tensors[i].Len())+c.third, read(t, op.c.tensors[i])[2])
		}
	}
	op := &opener{c: &Checkpoint{}} // without the norm nothing tells
	op.c.setTensors([]*tensor.Tensor{counted("layer_0/mlp/linear/w", 5, 3), counted("q_einsum/w", 2)})
	require.NoError(t, op.einsums())
	require.Len(t, op.c.tensors, 2)
	require.Equal(t, "layer_0/mlp/linear/w", op.c.tensors[0].Name)
	op.c.setTensors([]*tensor.Tensor{counted("layer_0/mlp/linear/w", 5, 3), counted("layer_0/pre_ffw_norm/scale"), counted("q_einsum/w", 2)}) // one without axes neither
	require.NoError(t, op.einsums())
	require.Equal(t, "layer_0/mlp/linear/w", op.c.tensors[0].Name)
	op.c.setTensors(append(gemma("/"), counted("llm/layers/attn/q_einsum/kernel", 2))) // a view's name stands already
	require.NoError(t, op.einsums())
	require.Len(t, op.c.tensors, 8)
}
