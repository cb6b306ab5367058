package delta

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
)

// scaledRows draws a matrix and one whose rows are by times its own, and rounded.
func scaledRows(rows, cols int, by func(int) float32) (a, b []float32) {
	s := rng.New([]byte("rows"), "scaled")
	for i := range rows {
		for range cols {
			v := float32(int64(s.Uint64()>>40)-1<<23) / (1 << 20)
			a, b = append(a, v), append(b, v*by(i))
		}
	}
	return a, b
}

// Factors are found where every row has one, and only there.
func TestRowScales(t *testing.T) {
	const rows, cols = 9, 12
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	find := func(a, b []float32, component string, ta, tb tensor.DType) RowScales {
		s := newScaler(component, rows, cols, ta, tb)
		s.add(a[:2*cols], b[:2*cols], all[:2], cols) // in pieces, as they are read
		s.add(a[2*cols:], b[2*cols:], all[2:], cols)
		return s.scales()
	}
	own := func(i int) float32 { return 0.3 * float32(i-4) } // of either sign, and one row of zeros
	a, b := scaledRows(rows, cols, own)
	got := find(a, b, "generic", tensor.F32, tensor.F32)
	require.Equal(t, []int{0, 1, 2, 3, 5, 6, 7, 8}, got.Rows)
	for i, row := range got.Rows {
		require.InEpsilon(t, float64(own(row)), got.By[i], 1e-6)
	}
	require.Empty(t, find(a, b, "mlp", tensor.F32, tensor.F32).By, "of known roles other things are asked")

	one := func(int) float32 { return 1.5 }
	_, b = scaledRows(rows, cols, one)
	require.Empty(t, find(a, b, "generic", tensor.F32, tensor.F32).By, "one factor for all is no factor of rows")

	a, b = scaledRows(rows, cols, own)
	b[3*cols+5] *= 1 + 1e-5
	require.Empty(t, find(a, b, "generic", tensor.F32, tensor.F32).By, "a value that is another")

	a, b = scaledRows(rows, cols, own)
	for i := range b {
		b[i] = tensor.BF16.Rounding()(b[i])
	}
	require.NotEmpty(t, find(a, b, "generic", tensor.F32, tensor.BF16).By, "rounded to a half")
	require.Empty(t, find(a, b, "generic", tensor.F32, tensor.F32).By, "coarser than its type")

	a, b = scaledRows(rows, cols, func(i int) float32 { return 1 + float32(i%2)/(1<<23) })
	require.True(t, find(a, b, "generic", tensor.F32, tensor.F32).Same)
	b[7] += 1e-3
	require.False(t, find(a, b, "generic", tensor.F32, tensor.F32).Same)
}
