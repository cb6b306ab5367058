package faithful_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// int8Columns is a matrix of whole numbers of eight bits with a scale for each
// column, as ONNX stores weights, inputs first.
func int8Columns(r *rand.Rand, inputs, outputs int) (x tensor.Values, q *packed.Affine) {
	x = make(tensor.Values, inputs*outputs)
	codes, scale := make(tensor.Values, len(x)), make(tensor.Values, outputs)
	for i := range x {
		x[i] = float32(.02 * r.NormFloat64())
		scale[i%outputs] = max(scale[i%outputs], float32(math.Abs(float64(x[i])))/127)
	}
	for i := range x {
		codes[i] = float32(math.RoundToEven(float64(x[i] / scale[i%outputs])))
	}
	return x, &packed.Affine{What: "INT8", Codes: codes, Shape: []int64{int64(inputs), int64(outputs)}, Block: []int64{int64(inputs), 1}, Scale: scale, Gap: 1}
}

// inputsFirst views a tensor whose bias says that its rows are inputs.
func inputsFirst(t *testing.T, data tensor.Data, inputs, outputs int) *roles.Matrix {
	m := tensor.Tensors{
		{Name: "dense.weight", DType: tensor.F32, Shape: []int64{int64(inputs), int64(outputs)}, Data: data},
		{Name: "dense.bias", DType: tensor.F32, Shape: []int64{int64(outputs)}, Data: make(tensor.Values, outputs)},
	}
	x := roles.Unnamed(m).Matrices()
	require.Len(t, x, 1)
	require.True(t, x[0].Transposed())
	return x[0]
}

func TestColumnsOfIntegers(t *testing.T) {
	const inputs, outputs = 96, 384
	x, q := int8Columns(rand.New(rand.NewPCG(3, 4)), inputs, outputs)
	p := faithful.Pair{Quantised: inputsFirst(t, q, inputs, outputs), Source: inputsFirst(t, x, inputs, outputs)}
	honest, err := faithful.Judge(t.Context(), p, faithful.Options{})
	require.NoError(t, err)
	require.Equal(t, faithful.Reachable, honest.Grade())
	require.EqualValues(t, outputs*inputs/32, honest.Total())
	q.Codes.(tensor.Values)[50*outputs+7]++ // input 50 of output 7
	found, err := faithful.Judge(t.Context(), p, faithful.Options{})
	require.NoError(t, err)
	require.EqualValues(t, 1, found.Blocks[faithful.Deviates])
	require.Equal(t, 7, found.Deviations[0].Row)
	require.Equal(t, 50, found.Deviations[0].Col)
	require.Equal(t, 1, found.Deviations[0].Block)
}
