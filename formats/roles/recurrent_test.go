package roles

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func shaped(shapes ...[]int64) (all tensor.Tensors) {
	for i, s := range shapes {
		n, _ := tensor.Elements(s)
		all = append(all, &tensor.Tensor{Name: fmt.Sprintf("t%d", i), DType: tensor.F32, Shape: s, Data: counting(n)})
	}
	return all
}

// Gates of recurrent layers are blocks of rows with one row of every unit. Shapes show
// them where several matrices have so many rows and one reads the units that it makes.
func TestRecurrentLayersShow(t *testing.T) {
	for name, c := range map[string]struct {
		shapes [][]int64
		hidden []string // units × blocks
	}{
		"LSTM":                              {[][]int64{{384, 40}, {384, 96}, {12, 96}, {384}}, []string{"96 4", "96 4"}},
		"LSTM, as many out as in":           {[][]int64{{384, 40}, {384, 96}, {40, 96}, {384}}, nil},
		"LSTM whose bias has two axes":      {[][]int64{{384, 40}, {384, 96}, {12, 96}, {1, 384}}, []string{"96 4", "96 4"}},
		"GRU of two layers":                 {[][]int64{{288, 40}, {288, 96}, {288, 96}, {288, 96}, {12, 96}, {288}}, []string{"96 3", "96 3", "96 3", "96 3"}},
		"LSTM as Keras lays it":             {[][]int64{{40, 384}, {96, 384}, {96, 12}, {384}, {12}}, []string{"96 4", "96 4"}},
		"LSTM of two directions, ONNX":      {[][]int64{{2, 384, 40}, {2, 384, 96}, {12, 192}}, []string{"96 4", "96 4", "96 4", "96 4"}},
		"LSTM of one direction, ONNX":       {[][]int64{{1, 384, 40}, {1, 384, 96}, {12, 96}}, []string{"96 4", "96 4"}},
		"256 classes from 64 units":         {[][]int64{{64, 40}, {256, 64}, {256}}, []string{"64 1"}},
		"an MLP that widens by 4":           {[][]int64{{384, 96}, {96, 384}, {384, 96}, {96, 384}, {96, 40}, {10, 96}, {384}}, []string{"384 1", "384 1", "96 1", "96 1", "96 1"}},
		"units that are the output":         {[][]int64{{384, 96}, {384, 96}, {384}}, nil},
		"a table of 4 tokens for each unit": {[][]int64{{128, 32}, {64, 32}, {32, 64}, {128, 32}, {32}}, []string{"64 1", "32 1"}},
		"units that may be the output":      {[][]int64{{384, 40}, {384, 96}, {96, 96}, {384}}, nil},
	} {
		var hidden []string
		for _, h := range Map(shaped(c.shapes...)).Exchangeable() {
			hidden = append(hidden, fmt.Sprint(h.Units(), h.Blocks))
		}
		require.ElementsMatch(t, c.hidden, hidden, name)
	}
}

// Rows of a unit are one of each gate.
func TestRowsOfUnits(t *testing.T) {
	n := Map(shaped([]int64{12, 5}, []int64{12, 4}, []int64{12}, []int64{2, 4}))
	h := n.Exchangeable()[0]
	require.Equal(t, []int{1, 5, 9, 3, 7, 11}, h.RowsOf([]int{1, 3}))
	require.Equal(t, []int{7}, Hidden{h.Matrix, 1}.RowsOf([]int{7}))
}

// Every direction of a recurrent layer as ONNX stores it is a matrix, whose rows lie where
// they do in the file.
func TestDirectionsOfRecurrentLayers(t *testing.T) {
	n := Map(shaped([]int64{2, 896, 150}, []int64{2, 896, 224}, []int64{3, 448}))
	require.Empty(t, n.Warnings)
	require.Len(t, n.Roles, 3)
	require.Len(t, n.Generic, 5)
	for k, m := range n.Generic[:4] {
		cols := []int{150, 224}[k/2]
		require.Equal(t, []int{896, cols}, []int{m.Rows, m.Cols})
		row := make([]float32, cols)
		require.NoError(t, m.Gather(context.Background(), row, []int{895}))
		require.Equal(t, float32((k%2*896+895)*cols), row[0])
		require.Empty(t, m.Kernels())
		require.Nil(t, m.Turned())
	}
}

// A recurrent layer of ONNX has one direction or two, and three or four gates of every unit;
// a convolution of three taps is none, and neither is what holds no values.
func TestRecurrentLayersOfONNX(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		is    bool
	}{
		{[]int64{1, 8, 2}, true}, {[]int64{2, 6, 2}, true}, {[]int64{1, 4, 1}, true},
		{[]int64{3, 8, 2}, false}, {[]int64{32, 12, 3}, false}, {[]int64{1, 10, 2}, false}, {[]int64{1, 0, 0}, false}, {[]int64{8, 2}, false},
	} {
		require.Equal(t, c.is, len(recurrentLayers([]*tensor.Tensor{{Shape: c.shape}})) == 1, "%v", c.shape)
	}
	for _, c := range []struct {
		shape []int64
		dtype tensor.DType
		count int
	}{
		{[]int64{2, 8, 5}, tensor.F32, 2}, {[]int64{2, 8, 5}, tensor.I8, 0}, {[]int64{2, 8, 5}, tensor.Opaque, 0}, {[]int64{2, 9, 5}, tensor.F32, 0}, {[]int64{8, 5}, tensor.F32, 0},
		{[]int64{1, 8, mostInputs}, tensor.F32, 1}, {[]int64{1, 8, mostInputs + 1}, tensor.F32, 0}, {[]int64{1, mostInputs, 5}, tensor.F32, 1}, {[]int64{1, mostInputs + 4, 5}, tensor.F32, 0},
	} {
		layers := map[layerOf]bool{{2, 8}: true, {1, 8}: true, {1, mostInputs}: true, {1, mostInputs + 4}: true}
		require.Len(t, directions("r", &tensor.Tensor{Shape: c.shape, DType: c.dtype, Data: counting(1)}, layers), c.count, "%v", c)
	}
}
