package layers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// convolutions draws kernels of outputs × inputs × 3 × 3, of which several have one shape.
func convolutions(r *rand.Rand) (out [][]float32) {
	for _, n := range []int{32 * 3, 32 * 32, 32 * 32, 32 * 32, 7 * 32} {
		k := make([]float32, 9*n)
		for i := range k {
			k[i] = float32(r.NormFloat64())
		}
		out = append(out, k)
	}
	return out
}

var convolutionShapes = [][]int64{{32, 3, 3, 3}, {32, 32, 3, 3}, {32, 32, 3, 3}, {32, 32, 3, 3}, {7, 32, 3, 3}}

// storedAs gives the kernels with their dimensions in another order, each row times a
// number, in an order of its own, and the last one first.
func storedAs(kernels [][]float32, prefix string, order []int, by func(row int) float32) *roles.Network {
	var all tensor.Tensors
	for k, values := range kernels {
		shape, strides := strided.Transposed(convolutionShapes[k], order)
		cols := len(values) / int(convolutionShapes[k][0])
		out := make([]float32, len(values))
		for i := range out {
			rest, at := int64(i), int64(0)
			for d := len(shape) - 1; d >= 0; d-- {
				at += rest % shape[d] * strides[d]
				rest /= shape[d]
			}
			out[i] = values[at] * by(int(at)/cols)
		}
		all = append(tensor.Tensors{{Name: fmt.Sprintf("%s%d", prefix, k), DType: tensor.F32, Shape: shape, Data: tensor.Values(out)}}, all...)
	}
	return roles.Map(all)
}

// Kernels are paired by their values whichever library stored either side, with norms folded in
// or not; what is too short to be paired by its rows is viewed as its neighbours are.
func TestKernelsOfAllLibraries(t *testing.T) {
	orders := map[string][]int{"PyTorch": {0, 1, 2, 3}, "TensorFlow": {2, 3, 1, 0}, "TensorFlow Lite": {0, 2, 3, 1}}
	r := rand.New(rand.NewPCG(5, 6))
	kernels := convolutions(r)
	one, folded := func(int) float32 { return 1 }, func(row int) float32 { return 0.5 + float32(row%7) }
	for nameA, a := range orders {
		for nameB, b := range orders {
			name := nameA + " and " + nameB
			p := align.NewPair(&align.Subject{Name: "a", Net: storedAs(kernels, "a", a, one)}, &align.Subject{Name: "b", Net: storedAs(kernels, "b", b, folded)}, []byte{1}, align.NoLimit)
			require.NoError(t, layers.PairGeneric(context.Background(), p))
			pairs := p.GenericPairs()
			require.Len(t, pairs, len(kernels), name)
			for _, x := range pairs {
				require.Equal(t, x.A.Tensor.Name[1:], x.B.Tensor.Name[1:], name)
				va, vb := make([]float32, x.A.Rows*x.A.Cols), make([]float32, x.B.Rows*x.B.Cols)
				require.NoError(t, x.A.Gather(context.Background(), va, x.A.All()))
				require.NoError(t, x.B.Gather(context.Background(), vb, x.B.All()))
				for i, v := range va {
					require.Equal(t, v*folded(i/x.A.Cols), vb[i], name)
				}
			}
			stranger := align.NewPair(&align.Subject{Name: "a", Net: storedAs(kernels, "a", a, one)}, &align.Subject{Name: "b", Net: storedAs(convolutions(r), "b", b, one)}, []byte{1}, align.NoLimit)
			require.NoError(t, layers.PairGeneric(context.Background(), stranger))
			if nameA != nameB {
				require.LessOrEqual(t, len(stranger.GenericPairs()), 1, "%s: 32 × 3 × 3 × 3 is one shape in all orders, and alone", name)
			}
		}
	}
}
