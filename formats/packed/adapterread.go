package packed

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// lengths returns what DoRA brings the rows to, nil where it does not.
func (m *adapterModule) lengths(rows int64) (*tensor.Tensor, error) {
	t := m.parts[partLengths]
	if t == nil {
		return nil, nil
	}
	if t.Len() != rows || len(t.Shape) > 1 && t.Shape[0] != rows {
		return nil, m.fail(tensor.ErrUnsupported, "lengths of shape %v: only those of the %d outputs are read", t.Shape, rows)
	}
	return t, nil
}

// sum reads W + s·ΔW, with its rows at the lengths where there are any.
type sum struct {
	w          *tensor.Tensor
	rows, cols int64
	d          change
	scale      float64
	lengths    *tensor.Tensor
	stored     int64
}

// StoredBytes counts the base's matrix and the module's tensors.
func (s *sum) StoredBytes() int64 { return s.w.StoredBytes() + s.stored }

// ReadValues reads the rows that the values lie in.
func (s *sum) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for len(dst) > 0 {
		row := first / s.cols
		n := min((first+int64(len(dst))-1)/s.cols-row+1, max(1, atOnce/s.cols))
		values, err := s.read(ctx, row, n)
		if err != nil {
			return err
		}
		k := copy(dst, values[first-row*s.cols:])
		dst, first = dst[k:], first+int64(k)
	}
	return nil
}

// read computes whole rows.
func (s *sum) read(ctx context.Context, row, n int64) ([]float32, error) {
	out := make([]float32, n*s.cols)
	if err := s.w.Data.ReadValues(ctx, out, row*s.cols); err != nil {
		return nil, err
	}
	wide := make([]float64, len(out))
	if err := s.d.add(ctx, wide, row, n); err != nil {
		return nil, err
	}
	for i, v := range out {
		wide[i] = float64(v) + float64(s.scale*wide[i])
	}
	if err := s.stretch(ctx, wide, row, n); err != nil {
		return nil, err
	}
	for i, v := range wide {
		out[i] = float32(v)
	}
	return out, nil
}

// stretch brings rows to their stored lengths.
func (s *sum) stretch(ctx context.Context, wide []float64, row, n int64) error {
	if s.lengths == nil {
		return nil
	}
	to := make([]float32, n)
	if err := s.lengths.Data.ReadValues(ctx, to, row); err != nil {
		return err
	}
	for i := range n {
		line := wide[i*s.cols : (i+1)*s.cols]
		squares := 0.0
		for _, v := range line {
			squares += float64(v * v)
		}
		by := float64(to[i]) / math.Sqrt(squares)
		for j, v := range line {
			line[j] = float64(v * by)
		}
	}
	return nil
}
