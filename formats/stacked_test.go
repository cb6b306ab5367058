package formats

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A network whose layers nn.scan stacked is read as the same network without it: Flax wrote both.
func TestStackedLayers(t *testing.T) {
	stacked, err := opened(t, "flax/testdata/stacked.msgpack", nil)
	require.NoError(t, err)
	apart, err := opened(t, "flax/testdata/apart.msgpack", nil)
	require.NoError(t, err)
	require.Len(t, stacked.Warnings, 2)
	require.Empty(t, apart.Warnings)
	require.Len(t, stacked.Tensors(), len(apart.Tensors()))
	for _, want := range apart.Tensors() {
		x, ok := stacked.Tensor(want.Name)
		require.True(t, ok, want.Name)
		require.Equal(t, want.Shape, x.Shape, want.Name)
		values := make([][]float32, 2)
		for i, m := range []*tensor.Tensor{want, x} {
			values[i] = make([]float32, m.Len())
			require.NoError(t, m.Data.ReadValues(context.Background(), values[i], 0))
		}
		require.Equal(t, values[0], values[1], want.Name)
	}
}

// What is no stack, or might be none, stays as it is.
func TestNoStacks(t *testing.T) {
	good := "layers/a/kernel 3x2x4, layers/a/bias 3x4, layers/n/scale 3x2"
	for _, c := range []struct {
		tensors string
		taken   bool
	}{
		{good, true},
		{strings.ReplaceAll(good, "layers/", "img/Transformer/encoderblock/"), true},
		{strings.ReplaceAll(strings.ReplaceAll(good, "layers/", "model/layers/FlaxBartEncoderLayers/"), "/", "."), true},
		{good + ", head/kernel 2x5", true},
		{"layers/a/kernel 2x4, layers/a/bias 4", false},          // one layer, whose matrix is one
		{"layers/a/kernel 3x3x2x4, layers/a/bias 4", false},      // a convolution
		{"layers/a/kernel 3x2x4, layers/a/bias 3", false},        // a bias of one axis
		{"layers/a/kernel 3x2x4, layers/n/scale 4x3", false},     // two numbers of layers
		{"layers/a/kernel 3x2x4", false},                         // nothing tells
		{"layers/a/kernel 3x2x4, layers/a/bias 3x4", true},       // a kernel and its bias do
		{"layers/a/kernel 1x2x4, layers/a/bias 1x4", true},       // of one layer
		{"layers/a/kernel 3x4, layers/a/bias 3x4", false},        // a kernel of one axis
		{"layers/kernel 3x2x4, layers/bias 3x4", true},           // nothing between
		{good + ", layers/b/table 3x2x2", false},                 // of a kind that is not known, as large
		{good + ", head/h 2x5, layers 2x5", true},                // the word of a stack, and nothing behind it
		{"layers/a/kernel 4096x2x1, layers/a/bias 4096x1", true}, // as many as any network has
		{strings.ReplaceAll(good, "layers/", strings.Repeat("n", maxStackedName)+"/layers/"), false},
		{strings.ReplaceAll(good, "layers/", strings.Repeat("n", maxStackedName-len("/layers/a/kernel"))+"/layers/"), true},
		{"layers/n/scale 3x2, kernel 2x2", false},                               // no kernel in it
		{good + ", layers/b/table 3x2", false},                                  // of a kind that is not known
		{good + ", layers/0/b/bias 4", true},                                    // a layer of another part apart
		{good + ", layers/0/a/bias 4", false},                                   // of a name that it would get
		{"layers/a/kernel 0x2x4, layers/a/bias 0x4", false},                     // no layer
		{"layers/a/kernel 5000x2x4, layers/a/bias 5000x4", false},               // more than any network has
		{strings.ReplaceAll(good, "layers/", "layers/0/"), false},               // numbered
		{"layers/a/kernel 2x3x4, layers/a/bias 4x3, layers/n/scale 2x3", true},  // three layers along the second axis
		{"layers/a/kernel 2x3x4, layers/a/bias 4x3, layers/n/scale 2x4", false}, // not all of them
		{"layers/a/kernel 3x2x4, layers/n/scale 3x2", false},                    // along either
		{"layers/a/kernel 3x3x4, layers/n/scale 3x3", false},                    // as many along both
		{"layers/a/kernel 2x3, layers/a/bias 4x3", false},                       // a kernel of one axis
		{"layers/a/kernel 2x5000x4, layers/a/bias 4x5000", false},               // more than any network has
		{"layers/e/wi_0 3x2x4x5, layers/n/scale 3x4", true},                     // experts
		{"layers/e/wi_0 3x2x4, layers/n/scale 3x4", false},                      // none
		{strings.ReplaceAll(good, "kernel", "weight"), false},                   // not Flax's words
		{strings.ReplaceAll(good, "layers/", "layers"), false},                  // no word of a stack
	} {
		op := &opener{c: &Checkpoint{}}
		var all []*tensor.Tensor
		for _, s := range strings.Split(c.tensors, ", ") {
			name, dims, _ := strings.Cut(s, " ")
			x := &tensor.Tensor{Name: name, DType: tensor.F32}
			for _, d := range strings.Split(dims, "x") {
				var n int64
				_, err := fmt.Sscan(d, &n)
				require.NoError(t, err)
				x.Shape = append(x.Shape, n)
			}
			x.Data = tensor.Values(make([]float32, x.Len()))
			all = append(all, x)
		}
		op.c.setTensors(all)
		require.NoError(t, op.unstack())
		require.Equal(t, c.taken, !slices.Equal(op.c.tensors, all), c.tensors)
		if !c.taken {
			require.Len(t, op.c.tensors, len(all))
		}
	}
}

// Each layer has its own values, of whichever axis counts them; what cannot be told is named.
func TestStackedAxes(t *testing.T) {
	for axis, shapes := range [][][]int64{{{3, 2, 4}, {3, 4}}, {{2, 3, 4}, {4, 3}}} {
		op := &opener{c: &Checkpoint{}}
		op.c.setTensors([]*tensor.Tensor{counted("layers/a/kernel", shapes[0]...), counted("layers/a/bias", shapes[1]...)})
		require.NoError(t, op.unstack())
		require.Len(t, op.c.tensors, 6)
		require.Equal(t, axis == 1, strings.Contains(op.c.Warnings[0], "along the second axis"))
		x, ok := op.c.Tensor("layers/1/a/kernel")
		require.True(t, ok)
		require.Equal(t, []int64{2, 4}, x.Shape)
		require.Equal(t, [][]float32{{8, 9, 10, 11, 12, 13, 14, 15}, {4, 5, 6, 7, 16, 17, 18, 19}}[axis], read(t, x))
		x, ok = op.c.Tensor("layers/2/a/bias")
		require.True(t, ok)
		require.Equal(t, []int64{4}, x.Shape)
		require.Equal(t, [][]float32{{8, 9, 10, 11}, {2, 5, 8, 11}}[axis], read(t, x))
	}
	op := &opener{c: &Checkpoint{}}
	op.c.setTensors([]*tensor.Tensor{counted("layers/a/kernel", 3, 2, 4), counted("layers/n/scale", 3, 2)})
	require.NoError(t, op.unstack())
	require.Len(t, op.c.tensors, 2)
	require.Len(t, op.c.Warnings, 1)
	require.Contains(t, op.c.Warnings[0], "the layers under layers/ are stacked, 3 along the first axis or 2 along the second")
	op = &opener{c: &Checkpoint{}}
	op.c.setTensors([]*tensor.Tensor{counted("layers/a/kernel", 0, 2, 4), counted("layers/a/bias", 0, 4), counted("h/a/kernel", 3, 2, 4), counted("h/a/bias", 3, 4)})
	require.NoError(t, op.unstack())
	require.Len(t, op.c.Warnings, 1) // no layers are none
}

// stacksOf is kernels of 1 × 2 and as many biases, each of so many layers.
func stacksOf(pairs int, layers int64) (all []*tensor.Tensor) {
	for i := range pairs {
		for leaf, shape := range map[string][]int64{"kernel": {layers, 1, 2}, "bias": {layers, 2}} {
			all = append(all, &tensor.Tensor{Name: fmt.Sprintf("layers/p%d/%s", i, leaf), DType: tensor.F32, Shape: shape, Data: tensor.Values(make([]float32, 2*layers))})
		}
	}
	return all
}

// Layers are numbered in tens and each has its share of the bytes; a stack with a scalar in it is
// none; and no more tensors come of stacks than are allowed.
func TestStackedLimits(t *testing.T) {
	unstacked := func(all []*tensor.Tensor) *Checkpoint {
		op := &opener{c: &Checkpoint{}}
		op.c.setTensors(all)
		require.NoError(t, op.unstack())
		return op.c
	}
	c := unstacked(stacksOf(1, 12))
	require.Len(t, c.tensors, 24)
	x, ok := c.Tensor("layers/11/p0/kernel")
	require.True(t, ok)
	require.Equal(t, int64(8), x.StoredBytes())
	scalar := &tensor.Tensor{Name: "layers/s/scale", DType: tensor.F32, Data: tensor.Values(make([]float32, 1))}
	require.Len(t, unstacked(append(stacksOf(1, 12), scalar)).tensors, 3)
	require.Len(t, unstacked(append([]*tensor.Tensor{scalar}, stacksOf(1, 12)...)).tensors, 3)
	require.Len(t, unstacked(stacksOf(8, maxStackedLayers-1)).tensors, maxUnstacked-16)
	require.Len(t, unstacked(stacksOf(8, maxStackedLayers)).tensors, 16)
}
