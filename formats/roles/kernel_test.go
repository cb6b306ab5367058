package roles

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// kernelOf is a kernel of unknown role whose values are their numbers in the order
// outputs × inputs × height × width, stored with its dimensions in another order.
func kernelOf(shape []int64, stored []int) *Matrix {
	to := make([]int64, len(stored))
	for i, d := range stored {
		to[i] = shape[d]
	}
	n, _ := tensor.Elements(shape)
	values := make([]float32, n)
	at := make([]int64, len(shape)) // by dimension of shape
	for i := range values {
		rest := int64(i)
		for k := len(stored) - 1; k >= 0; k-- {
			at[stored[k]] = rest % to[k]
			rest /= to[k]
		}
		v := int64(0)
		for d, x := range at {
			v = v*shape[d] + x
		}
		values[i] = float32(v)
	}
	return newMatrix("generic.0", &tensor.Tensor{Name: "k", DType: tensor.F32, Shape: to, Data: tensor.Values(values)})
}

// One of the views of a kernel in any library's order is the kernel of PyTorch and ONNX,
// row by row in any selection.
func TestKernels(t *testing.T) {
	for _, c := range []struct {
		shape  []int64
		stored []int // which dimension of shape each stored one is
	}{
		{[]int64{6, 5, 2, 3}, []int{2, 3, 1, 0}}, // TensorFlow
		{[]int64{6, 5, 2, 3}, []int{0, 2, 3, 1}}, // TensorFlow Lite
		{[]int64{6, 5, 4}, []int{2, 1, 0}},
		{[]int64{6, 5, 4}, []int{0, 2, 1}},
		{[]int64{7, 1, 3, 3}, []int{2, 3, 0, 1}}, // by channel
		{[]int64{7, 1, 3, 3}, []int{1, 2, 3, 0}},
		{[]int64{4, 3, 2, 2, 3}, []int{2, 3, 4, 1, 0}},
	} {
		m := kernelOf(c.shape, c.stored)
		at := slices.IndexFunc(m.Kernels(), func(v *Matrix) bool { return slices.Equal(v.Dims(), c.shape) })
		require.GreaterOrEqual(t, at, 0, "%v", c)
		v := m.Kernels()[at]
		require.Equal(t, int(c.shape[1]), v.Inputs())
		rows := []int{v.Rows - 1, 0, 1, 2}
		got := make([]float32, len(rows)*v.Cols)
		require.NoError(t, v.Gather(context.Background(), got, rows))
		for i, r := range rows {
			for k := range v.Cols {
				require.Equal(t, float32(r*v.Cols+k), got[i*v.Cols+k], "%v row %d", c, r)
			}
		}
		require.Nil(t, v.Kernels(), "a view is not viewed again")
		require.Equal(t, c.shape, v.InMemory(got, v.Dims()).Tensor.Shape)
	}
	flat := newMatrix("generic.0", &tensor.Tensor{DType: tensor.F32, Shape: []int64{6, 5}, Data: tensor.Values(make([]float32, 30))})
	require.Empty(t, flat.Kernels())
}

// A kernel with a bias keeps the rows that the bias is as long as.
func TestKernelsWithBias(t *testing.T) {
	m := kernelOf([]int64{6, 5, 2, 3}, []int{0, 2, 3, 1})
	m.Bias = &Vector{Len: 6}
	for _, v := range m.Kernels() {
		require.Equal(t, m.Rows, v.Rows)
	}
	require.Len(t, m.Kernels(), 1)
}
