package delta

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
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

// typed is a matrix without values.
func typed(rows, cols int64, t tensor.DType) *roles.Matrix {
	return &roles.Matrix{Tensor: &tensor.Tensor{DType: t, Shape: []int64{rows, cols}}, Rows: int(rows), Cols: int(cols)}
}

// Rows speak for a common origin where they are most of a matrix that looks trained: no
// table, no few rows among empty ones.
func TestRowScalesOfTrainedMatrices(t *testing.T) {
	const rows, cols = 64, 48
	find := func(a, b []float32) RowScales {
		s := newScaler("generic", typed(rows, cols, tensor.F32), typed(rows, cols, tensor.F32))
		for r := range rows {
			s.add(a[r*cols:(r+1)*cols], b[r*cols:(r+1)*cols], []int{r}, cols)
		}
		return s.scales()
	}
	by := func(i int) float32 { return 1 + float32(i)/8 }
	a, b := scaledRows(rows, cols, by)
	require.True(t, find(a, b).Learned)
	same := find(a, a)
	require.True(t, same.Same)
	require.True(t, same.Learned)
	for i := range a {
		if i >= rows/3*cols {
			a[i], b[i] = 0, 0
		}
	}
	require.False(t, find(a, b).Learned, "most rows are empty")
	for i := range a {
		a[i] = float32(i%cols) + float32(i/cols)
		b[i] = a[i] * by(i/cols)
	}
	got := find(a, b)
	require.NotEmpty(t, got.By)
	require.False(t, got.Learned, "a table that changes little from row to row")
}

// A row that one side wrote as zeros, since its numbers lie below the smallest that is stored in
// full, is no other row; a row of the smallest such numbers is.
func TestRowsBelowTheSmallestNumbers(t *testing.T) {
	const rows, cols = 64, 48
	for least, same := range map[float32]bool{1e-39: true, 1e-37: false} {
		a, b := scaledRows(rows, cols, func(int) float32 { return 1 })
		for i := range cols {
			a[5*cols+i], b[5*cols+i] = 0, least
		}
		s := newScaler("generic", typed(rows, cols, tensor.F32), typed(rows, cols, tensor.F32))
		for r := range rows {
			s.add(a[r*cols:(r+1)*cols], b[r*cols:(r+1)*cols], []int{r}, cols)
		}
		got := s.scales()
		require.Equal(t, same, got.Same, least)
		if same {
			require.Len(t, got.Rows, rows-1)
		}
	}
}

// Factors are found where every row has one, and only there.
func TestRowScales(t *testing.T) {
	const rows, cols = 9, 12
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	find := func(a, b []float32, component string, ta, tb tensor.DType) RowScales {
		s := newScaler(component, typed(rows, cols, ta), typed(rows, cols, tb))
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
