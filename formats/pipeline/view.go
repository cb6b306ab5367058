package pipeline

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// swapped views a tensor whose two halves, by the first dimension, change places.
func swapped(t *tensor.Tensor, name string) *tensor.Tensor {
	n := t.Len()
	return &tensor.Tensor{Name: name, DType: t.DType, Shape: slices.Clone(t.Shape), Data: tensor.NewPieces(t, []tensor.Span{{Lo: n / 2, Hi: n}, {Lo: 0, Hi: n / 2}})}
}

// transposed views a matrix with its axes exchanged.
func transposed(t *tensor.Tensor, name string) *tensor.Tensor {
	return &tensor.Tensor{Name: name, DType: t.DType, Shape: []int64{t.Shape[1], t.Shape[0]}, Data: &turned{t.Data, t.Shape[0], t.Shape[1]}}
}

// turned are the values of a rows × cols matrix, column by column.
type turned struct {
	of         tensor.Data
	rows, cols int64
}

// ReadValues reads the stored rows one after the other and keeps of each the
// columns that are asked for.
func (x *turned) ReadValues(ctx context.Context, dst []float32, first int64) error {
	if len(dst) == 0 {
		return nil
	}
	lo, hi := first/x.rows, (first+int64(len(dst))-1)/x.rows+1 // columns
	line := make([]float32, hi-lo)
	for r := range x.rows {
		if err := x.of.ReadValues(ctx, line, r*x.cols+lo); err != nil {
			return err
		}
		for c, v := range line {
			if at := (lo+int64(c))*x.rows + r - first; at >= 0 && at < int64(len(dst)) {
				dst[at] = v
			}
		}
	}
	return nil
}

func (x *turned) StoredBytes() int64 { return x.of.StoredBytes() }
