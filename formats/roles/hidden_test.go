package roles

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// hiddenOf lists the hidden units of matrices, each with how many blocks of rows they lie in.
func hiddenOf(n *Network) (out []string) {
	for _, h := range n.Exchangeable() {
		out = append(out, fmt.Sprint(h.Units(), h.Blocks))
	}
	return out
}

// Sizes say what is inside a network only where they cannot be those of its ends.
func TestSizesInside(t *testing.T) {
	for name, c := range map[string]struct {
		shapes [][]int64
		hidden []string
	}{
		"one channel in, and one inside":        {[][]int64{{32, 1}, {1, 32}, {48, 1}, {10, 48}}, []string{"32 1", "1 1", "48 1"}},
		"two channels in, and two inside":       {[][]int64{{32, 2}, {2, 32}, {48, 2}, {10, 48}}, nil},
		"as many out as in, however deep":       {[][]int64{{64, 3}, {64, 64}, {64, 64}, {3, 64}}, nil},
		"a table of words at the beginning":     {[][]int64{{500, 32}, {32, 32}, {48, 32}, {32, 48}}, []string{"32 1", "48 1", "32 1"}},
		"rows that no whole number of gates is": {[][]int64{{386, 40}, {386, 96}, {12, 96}, {386}}, nil},
		"a kernel of as many outputs":           {[][]int64{{256, 8, 3}, {256, 64}, {64, 40}, {10, 64}, {8, 64}, {256}}, []string{"64 1", "8 1"}},
	} {
		require.ElementsMatch(t, c.hidden, hiddenOf(Map(shaped(c.shapes...))), name)
	}
}

// Rows that a name calls tokens, classes or positions are no hidden units, however it is
// written, and show no recurrent layer.
func TestNamedRowsAreNotHidden(t *testing.T) {
	all := shaped([]int64{64, 40}, []int64{48, 64}, []int64{10, 48})
	require.ElementsMatch(t, []string{"64 1", "48 1"}, hiddenOf(Map(all)))
	all[0].Name = "CharEmbedding.w"
	require.ElementsMatch(t, []string{"48 1"}, hiddenOf(Map(all)))
	gated := shaped([]int64{256, 40}, []int64{256, 64}, []int64{12, 64}, []int64{256})
	require.ElementsMatch(t, []string{"64 4", "64 4"}, hiddenOf(Map(gated)))
	gated[1].Name = "classes.w"
	require.Empty(t, hiddenOf(Map(gated)))
}

// layered is a network with layers of known names beside matrices of unknown ones.
func layered(rest ...[]int64) tensor.Tensors {
	all := shaped(rest...)
	for _, x := range []struct {
		name  string
		shape []int64
	}{
		{"model.embed_tokens.weight", []int64{500, 32}}, {"model.layers.0.self_attn.q_proj.weight", []int64{32, 32}}, {"model.layers.0.self_attn.k_proj.weight", []int64{32, 32}},
		{"model.layers.0.self_attn.v_proj.weight", []int64{32, 32}}, {"model.layers.0.self_attn.o_proj.weight", []int64{32, 32}}, {"model.layers.0.mlp.up_proj.weight", []int64{96, 32}},
		{"model.layers.0.mlp.gate_proj.weight", []int64{96, 32}}, {"model.layers.0.mlp.down_proj.weight", []int64{32, 96}},
	} {
		n, _ := tensor.Elements(x.shape)
		all = append(all, &tensor.Tensor{Name: x.name, DType: tensor.F32, Shape: x.shape, Data: counting(n)})
	}
	return all
}

// Beside layers of known names matrices lie as stored, ends need not show, and rows as many
// as there are words stand for them.
func TestMatricesBesideLayers(t *testing.T) {
	n := Map(layered([]int64{64, 20}, []int64{20, 64}, []int64{500, 64}, []int64{7, 500}))
	require.Len(t, n.Towers, 1)
	require.ElementsMatch(t, []string{"64 1", "20 1"}, hiddenOf(n))
	n = Map(layered([]int64{11, 4, 33}, []int64{5, 33, 48}, []int64{33}, []int64{48}))
	require.Len(t, n.Towers, 1)
	for _, m := range n.Generic {
		require.Equal(t, int(m.Tensor.Shape[0]), m.Rows)
	}
}

// Runs of values that are no units neither make nor read any, and show no ends.
func TestFlatRunsAreNoUnits(t *testing.T) {
	const run = flatCols
	for name, c := range map[string]struct {
		shapes [][]int64
		hidden []string
	}{
		"read by a run":                   {[][]int64{{run, 2}, {1, mostUnits + run}}, nil},
		"read twice, and by a run":        {[][]int64{{run, 2}, {run, 2}, {run, 2}, {2, run}, {2, run}, {1, mostUnits + run}}, nil},
		"a run of 65 rows, which is read": {[][]int64{{12, 65}, {40, 12}, {9, 40}, {1, mostUnits + run}}, []string{"12 1", "40 1"}},
		"an autoencoder beside a run":     {[][]int64{{128, 784}, {784, 128}, {1, mostUnits + run}}, nil},
		"an LSTM beside a run of 96 rows": {[][]int64{{384, 40}, {384, 96}, {12, 96}, {384}, {1, 96 * run}}, []string{"96 4", "96 4"}},
		"384 classes, and as many rows":   {[][]int64{{384, 96}, {96, 40}, {10, 96}, {384}, {1, 384 * run}}, []string{"96 1"}},
	} {
		require.ElementsMatch(t, c.hidden, hiddenOf(Map(shaped(c.shapes...))), name)
	}
}
