package roles

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func TestSpelled(t *testing.T) {
	for name, want := range map[string]string{
		"bert/encoder/layer_0/attention/self/query/kernel":        "bert.encoder.layer.0.attention.self.query.weight",
		"tf_bert/bert/encoder/layer_._11/output/LayerNorm/beta:0": "tf_bert.bert.encoder.layer.11.output.LayerNorm.beta",
		"bert/embeddings/position_embeddings/embeddings:0":        "bert.embeddings.position_embeddings.weight",
		"target.decoder.layers_3.mlp.wi_0.kernel":                 "target.decoder.layers.3.mlp.wi_0.weight",
		"Transformer/encoderblock_2/LayerNorm_0/scale":            "Transformer.encoderblock.2.LayerNorm_0.weight",
		"embeddings.word_embeddings.embedding":                    "embeddings.word_embeddings.weight",
		"model.layers.0.self_attn.q_proj.weight":                  "model.layers.0.self_attn.q_proj.weight",
		"backbone.embeddings":                                     "backbone.embeddings",
		"a.block_norm_1":                                          "a.block_norm_1",
	} {
		require.Equal(t, want, spelled(name), name)
	}
}

// What Flax keeps by heads, inputs first, is viewed as outputs × inputs, value by value.
func TestKernelsByHeads(t *testing.T) {
	const inputs, heads, units = 8, 2, 4
	var all tensor.Tensors
	add := func(part string, shape ...int64) {
		all = append(all, &tensor.Tensor{Name: "Transformer/encoderblock_0/MultiHeadDotProductAttention_0/" + part, DType: tensor.F32, Shape: shape, Data: counting(tensorLen(shape))})
	}
	for _, p := range []string{"query", "key", "value"} {
		add(p+"/kernel", inputs, heads, units)
		add(p+"/bias", heads, units)
	}
	add("out/kernel", heads, units, inputs)
	add("out/bias", inputs)
	l := Map(all).Towers[0].Layers[0]
	for i, m := range []*Matrix{l.Q, l.K, l.V, l.O} {
		require.Equal(t, []int{8, 8, 8}, []int{m.Rows, m.Cols, m.Bias.Len})
		rows := []int{7, 0, 3}
		got := make([]float32, len(rows)*m.Cols)
		require.NoError(t, m.Gather(context.Background(), got, rows))
		for k, r := range rows {
			for c := range m.Cols {
				require.Equal(t, float32(c*8+r), got[k*m.Cols+c], fmt.Sprint(i, r, c))
			}
		}
	}
}

func tensorLen(shape []int64) int64 {
	n, _ := tensor.Elements(shape)
	return n
}

// Where biases tell that outputs come first, as in Flax's GPT-2, no name tells otherwise.
func TestBiasesOutweighNames(t *testing.T) {
	made := func(up ...int64) *Matrix {
		names := func(s string) string { return "transformer.h.0." + s }
		down := []int64{up[1], up[0]}
		return Map(tensor.Tensors{
			{Name: names("mlp.c_fc.kernel"), DType: tensor.F32, Shape: up, Data: counting(8 * 24)},
			{Name: names("mlp.c_fc.bias"), DType: tensor.F32, Shape: []int64{24}, Data: counting(24)},
			{Name: names("mlp.c_proj.kernel"), DType: tensor.F32, Shape: down, Data: counting(8 * 24)},
			{Name: names("ln_1.scale"), DType: tensor.F32, Shape: []int64{8}, Data: counting(8)},
		}).Towers[0].Layers[0].MLPs()[0].Up
	}
	for _, shape := range [][]int64{{24, 8}, {8, 24}} {
		m := made(shape...)
		require.Equal(t, []int{24, 8}, []int{m.Rows, m.Cols}, "%v", shape)
		require.Equal(t, shape[0] == 8, m.Transposed())
	}
}
