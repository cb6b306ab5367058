package forward

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
)

// blockValues is about how many weights are held at a time.
const blockValues = 1 << 21

// blocks reads a matrix some rows at a time.
func blocks(ctx context.Context, w *roles.Matrix, f func(first, rows int, values []float32) error) error {
	per := max(1, min(w.Rows, blockValues/max(1, w.Cols)))
	if w.Transposed() { // reading a part costs as much as reading all
		per = w.Rows
	}
	values := make([]float32, per*w.Cols)
	rows := w.All()
	for first := 0; first < w.Rows; first += per {
		n := min(per, w.Rows-first)
		if err := w.Gather(ctx, values[:n*w.Cols], rows[first:first+n]); err != nil {
			return err
		}
		if err := f(first, n, values[:n*w.Cols]); err != nil {
			return err
		}
	}
	return nil
}

// multiply returns x·Wᵀ plus the bias for n rows x.
func multiply(ctx context.Context, x []float32, n int, w *roles.Matrix) ([]float32, error) {
	out := make([]float32, n*w.Rows)
	bias, err := biasOf(ctx, w)
	if err != nil {
		return nil, err
	}
	var part []float32
	return out, blocks(ctx, w, func(first, rows int, values []float32) error {
		if len(part) < n*rows {
			part = make([]float32, n*rows)
		}
		dense.MulNT(part[:n*rows], x, values, n, rows, w.Cols)
		for i := range n {
			to := out[i*w.Rows+first:][:rows]
			copy(to, part[i*rows:(i+1)*rows])
			if bias != nil {
				plus(to, bias[first:first+rows])
			}
		}
		return nil
	})
}

func biasOf(ctx context.Context, w *roles.Matrix) ([]float32, error) {
	if w.Bias == nil {
		return nil, nil
	}
	return w.Bias.Read(ctx)
}
