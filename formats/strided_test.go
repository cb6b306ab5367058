package formats

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A view holds what the definition says, wherever reading begins and ends, and whether runs are
// read one by one or together.
func TestStrided(t *testing.T) {
	wide := int64(maxBetween)
	for _, c := range []struct {
		of             []int64
		start          int64
		shape, strides []int64
	}{
		{[]int64{4, 3, 5}, 5, []int64{4, 5}, []int64{15, 1}},           // the second of three layers, second axis
		{[]int64{4, 3}, 2, []int64{4}, []int64{3}},                     // a vector among layers
		{[]int64{2, 3, 4, 5}, 60, []int64{4, 3, 5}, []int64{5, 20, 1}}, // heads first: inputs first
		{[]int64{3, 4}, 0, []int64{4, 3}, []int64{1, 4}},               // transposed
		{[]int64{3, 4}, 4, []int64{2, 4}, []int64{4, 1}},               // as it lies
		{[]int64{3, wide + 1}, 1, []int64{3, 2}, []int64{wide + 1, 1}}, // too far between
		{[]int64{5, wide / 2}, 3, []int64{5, 1}, []int64{wide / 2, 1}}, // two at once
		{[]int64{2, 2, 3}, 0, []int64{3, 2, 2}, []int64{1, 6, 3}},      // turned round
		{[]int64{4, 3}, 0, []int64{0, 3}, []int64{3, 1}},               // nothing
	} {
		n, _ := tensor.Elements(c.of)
		values := make(tensor.Values, n)
		for i := range values {
			values[i] = float32(i)
		}
		whole := &tensor.Tensor{Name: "t", DType: tensor.F32, Shape: c.of, Data: values}
		x := newStrided(whole, "v", c.start, c.shape, c.strides)
		require.Equal(t, c.shape, x.Shape)
		require.Equal(t, "v", x.Name)
		require.Equal(t, 4*x.Len(), x.StoredBytes())
		want := entries(c.start, c.shape, c.strides)
		for lo := range want {
			for hi := lo; hi <= len(want); hi++ {
				got := make([]float32, hi-lo)
				require.NoError(t, x.Data.ReadValues(context.Background(), got, int64(lo)))
				require.Equal(t, want[lo:hi], got, "%v from %d", c, lo)
			}
		}
	}
}

// entries lists a view's values where each is its place.
func entries(start int64, shape, strides []int64) []float32 {
	if len(shape) == 0 {
		return []float32{float32(start)}
	}
	out := []float32{}
	for i := range shape[0] {
		out = append(out, entries(start+i*strides[0], shape[1:], strides[1:])...)
	}
	return out
}

type unread struct{ tensor.Values }

var errRead = errors.New("unreadable")

func (unread) ReadValues(context.Context, []float32, int64) error { return errRead }

// What cannot be read is an error, one run or several.
func TestStridedFails(t *testing.T) {
	whole := &tensor.Tensor{DType: tensor.F32, Shape: []int64{4, 3}, Data: unread{make(tensor.Values, 12)}}
	for _, strides := range [][]int64{{3, 1}, {1, 4}} {
		x := newStrided(whole, "v", 0, []int64{2, 2}, strides)
		require.ErrorIs(t, x.Data.ReadValues(context.Background(), make([]float32, 4), 0), errRead)
	}
}
