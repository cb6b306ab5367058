package roles

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// stacked is a network of kernels and dense matrices, outputs × inputs × window by shape,
// each with a bias, under names that say nothing and in any order, as a library lays them.
func stacked(r *rand.Rand, shapes [][]int64, order kernelOrder) (all tensor.Tensors) {
	add := func(shape ...int64) {
		n, _ := tensor.Elements(shape)
		all = append(all, &tensor.Tensor{Name: fmt.Sprintf("t%08x", r.Uint32()), DType: tensor.F32, Shape: shape, Data: counting(n)})
	}
	for _, s := range shapes {
		add(s[0])
		to := slices.Clone(s)
		switch {
		case order == windowInputsOutputs:
			to = append(slices.Clone(s[2:]), s[1], s[0])
		case order == outputsWindowInputs && len(s) > 2:
			to = append(append([]int64{s[0]}, s[2:]...), s[1])
		}
		add(to...)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// Whatever library wrote a network, its matrices are viewed as outputs × inputs × window
// where lengths of its vectors show which way they lie; hidden units are found then.
func TestVectorsShowHowMatricesLie(t *testing.T) {
	shapes := [][]int64{{32, 4, 11}, {48, 32, 11}, {32, 48, 5}, {48, 32, 1}, {64, 48}, {3, 64}}
	for order := outputsInputsWindow; order <= outputsWindowInputs; order++ {
		for seed := range uint64(3) {
			n := Map(stacked(rand.New(rand.NewPCG(seed, 1)), shapes, order))
			var got, hidden []string
			for _, m := range n.Generic {
				got = append(got, fmt.Sprint(m.Rows, m.Inputs(), m.Cols))
			}
			for _, h := range n.Exchangeable() {
				require.Equal(t, 1, h.Blocks)
				hidden = append(hidden, fmt.Sprint(h.Rows, h.Inputs(), h.Cols))
			}
			all := []string{"32 4 44", "48 32 352", "32 48 240", "48 32 32", "64 48 48", "3 64 64"}
			require.ElementsMatch(t, all, got, "%d", order)
			require.ElementsMatch(t, all[:5], hidden, "%d", order)
		}
	}
}

// What the vectors do not settle stays as stored: no vectors, some that fit two ways, or
// too few that fit.
func TestVectorsThatShowNothing(t *testing.T) {
	as := func(shapes ...[]int64) (all tensor.Tensors) {
		for i, s := range shapes {
			n, _ := tensor.Elements(s)
			all = append(all, &tensor.Tensor{Name: fmt.Sprint("t", i), DType: tensor.F32, Shape: s, Data: counting(n)})
		}
		return all
	}
	for name, all := range map[string]tensor.Tensors{
		"none":                  as([]int64{11, 4, 32}, []int64{7, 12, 48}),
		"norms of what is read": as([]int64{128, 32}, []int64{64, 32}, []int64{32, 64}, []int64{128, 32}, []int64{32}, []int64{32}),
		"square":                as([]int64{32, 32}, []int64{32, 32}, []int64{32}),
	} {
		for _, m := range Map(all).Generic {
			require.Equal(t, int(m.Tensor.Shape[0]), m.Rows, name)
			require.False(t, m.Transposed(), name)
		}
	}
}

// Kernels whose windows are as wide as channels are many fit together one way only; so do
// matrices beside kernels that lie the other way round than PyTorch's.
func TestMatricesThatFitTogether(t *testing.T) {
	for name, c := range map[string]struct {
		shapes [][]int64
		want   []string // rows, inputs
	}{
		"CREPE of Keras":        {[][]int64{{512, 1, 128}, {64, 128, 16}, {64, 16, 16}, {64, 16, 32}, {64, 32, 64}, {256, 360}, {128}, {16}, {32}, {64}}, []string{"128 1", "16 128", "16 16", "32 16", "64 32", "360 256"}},
		"biases of two axes":    {[][]int64{{9, 4, 32}, {9, 32, 48}, {9, 48, 24}, {1, 32}, {48, 1}, {1, 1, 24}}, []string{"32 4", "48 32", "24 48", "32 1", "1 48", "24 1"}},
		"MatMul of ONNX":        {[][]int64{{196, 48, 3}, {196, 48, 5}, {139, 48}, {196, 32}, {32, 1}, {196}, {32}}, []string{"196 48", "196 48", "48 139", "32 196", "1 32"}},
		"dense layers of Keras": {[][]int64{{3, 3, 3, 32}, {3, 3, 32, 64}, {64, 10}, {32}, {64}, {10}}, []string{"32 3", "64 32", "10 64"}},
	} {
		var got []string
		for _, m := range Map(shaped(c.shapes...)).Generic {
			got = append(got, fmt.Sprint(m.Rows, m.Inputs()))
		}
		require.ElementsMatch(t, c.want, got, name)
	}
}

// A view that vectors suggest is no last word: values may settle any other.
func TestSupposedViewsCanBeTurned(t *testing.T) {
	n := Map(stacked(rand.New(rand.NewPCG(1, 2)), [][]int64{{32, 4, 11}, {48, 32, 11}, {3, 48}}, windowInputsOutputs))
	for _, m := range n.Generic {
		if len(m.Tensor.Shape) == 2 {
			require.Equal(t, []int{48, 3}, []int{m.Turned().Rows, m.Turned().Cols})
			continue
		}
		var dims [][]int64
		for _, v := range m.Kernels() {
			dims = append(dims, v.Dims())
		}
		require.Contains(t, dims, m.Tensor.Shape, "as stored")
		require.NotContains(t, dims, m.Dims(), "the view itself would be a second one as good")
	}
}

// Kernels lie in another order only where that fits more than half of all that could, and no
// other order does as well. Sizes that no vector has count for nothing, and neither do
// matrices that are no kernels.
func TestHowMuchMustFit(t *testing.T) {
	for name, c := range map[string]struct {
		shapes [][]int64
		want   []string // rows, inputs
	}{
		"four of eight":           {[][]int64{{11, 4, 32}, {5, 32, 48}, {32}}, []string{"11 4", "5 32"}},
		"five of eight":           {[][]int64{{11, 4, 32}, {5, 32, 48}, {32}, {48}}, []string{"32 4", "48 32"}},
		"six of twelve":           {[][]int64{{11, 4, 32}, {5, 32, 48}, {5, 7, 9}, {32}, {48}, {9}}, []string{"11 4", "5 32", "5 7"}},
		"seven of twelve":         {[][]int64{{11, 4, 32}, {5, 32, 48}, {5, 7, 9}, {32}, {48}, {9}, {7}}, []string{"32 4", "48 32", "9 7"}},
		"what no vector has":      {[][]int64{{11, 4, 32}, {5, 32, 48}, {5, 48, 9}, {48}, {9}, {4}}, []string{"11 4", "5 32", "5 48"}},
		"beside other matrices":   {[][]int64{{11, 4, 32}, {5, 32, 48}, {32}, {48}, {7, 12}, {7, 12}}, []string{"32 4", "48 32", "12 7", "12 7"}},
		"beside a run of values":  {[][]int64{{11, 4, 32}, {5, 32, 48}, {32}, {48}, {1, mostUnits + flatCols, 1}}, []string{"32 4", "48 32", "65 4259840"}},
		"two other orders alike":  {[][]int64{{16, 16, 16}, {32, 32, 16}, {16}}, []string{"16 16", "32 32"}},
		"as stored, and another":  {[][]int64{{16, 16, 16}, {32, 16, 32}, {16}}, []string{"16 16", "32 16"}},
		"as stored, and a third":  {[][]int64{{16, 16, 16}, {16, 32, 32}, {16}}, []string{"16 16", "16 32"}},
		"a table beside MatMul":   {[][]int64{{64, 3, 3}, {64, 10}, {500, 64}, {64}}, []string{"64 3", "10 64", "64 500"}},
		"rows that others read":   {[][]int64{{9, 64, 3}, {64, 10}, {20, 5, 3}, {20, 21}}, []string{"9 64", "64 10", "20 5", "20 21"}},
		"Keras kernels, a row":    {[][]int64{{11, 4, 32}, {5, 32, 48}, {10, 48}, {32}, {48}}, []string{"32 4", "48 32", "10 48"}},
		"a GRU beside dead ends":  {[][]int64{{40, 384}, {96, 384}, {96, 12}, {384, 5, 3}, {384}, {12}}, []string{"384 40", "384 96", "12 96", "384 5"}},
		"a run as wide as others": {[][]int64{{flatCols, 2, 3}, {flatCols, 10}, {1, mostUnits + flatCols}}, []string{"65536 2", "10 65536", "65 65536"}},
	} {
		var got []string
		for _, m := range Map(shaped(c.shapes...)).Generic {
			got = append(got, fmt.Sprint(m.Rows, m.Inputs()))
		}
		require.ElementsMatch(t, c.want, got, name)
	}
}
