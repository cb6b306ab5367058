package tensor_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Slices hold the values that the whole has at their place, whether they begin on a
// block of the file or within one.
func TestSlice(t *testing.T) {
	bytesOf := []byte{0x21, 0x43, 0x65, 0x17, 0x32, 0x54}
	for _, c := range []struct {
		dtype  tensor.DType
		shape  []int64
		stored []bool // by entry of the first dimension
	}{
		{tensor.U8, []int64{3, 2}, []bool{true, true, true}},
		{tensor.F4, []int64{4, 3}, []bool{false, false, false, false}},
		{tensor.F4, []int64{3, 2, 2}, []bool{true, true, true}},
	} {
		whole := &tensor.Tensor{Name: "t", DType: c.dtype, Shape: c.shape}
		whole.Data = &tensor.Stored{R: bytes.NewReader(bytesOf), Bytes: 6, DType: c.dtype}
		want := make([]float32, whole.Len())
		require.NoError(t, whole.Data.ReadValues(context.Background(), want, 0))
		per := whole.Len() / c.shape[0]
		for i, stored := range c.stored {
			x := tensor.Slice(whole, "x", int64(i), 1)
			got := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), got, 0))
			require.Equal(t, want[int64(i)*per:int64(i+1)*per], got)
			require.NoError(t, x.Data.ReadValues(context.Background(), got[:1], x.Len()-1))
			require.Equal(t, want[int64(i+1)*per-1], got[0])
			_, is := x.Data.(*tensor.Stored)
			require.Equal(t, stored, is)
			require.Equal(t, 6/c.shape[0], x.StoredBytes())
		}
	}
}
