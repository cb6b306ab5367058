package pipeline

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// rows views rows [first, first+n) of a tensor under another name, by its first
// dimension.
func rows(t *tensor.Tensor, name string, first, n int64) *tensor.Tensor {
	shape := append([]int64{n}, t.Shape[1:]...)
	per := int64(1)
	if t.Shape[0] > 0 {
		per = t.Len() / t.Shape[0]
	}
	out := &tensor.Tensor{Name: name, DType: t.DType, Shape: shape}
	out.Data = run(t, first*per, n*per)
	return out
}

// run views consecutive values. Where they are whole blocks of a file they stay
// stored, so that reading them can be announced.
func run(t *tensor.Tensor, first, n int64) tensor.Data {
	if s, ok := t.Data.(*tensor.Stored); ok {
		if c, known := s.DType.Codec(); known {
			per, size := int64(c.BlockValues), int64(c.BlockBytes)
			if first%per == 0 && n%per == 0 {
				part := *s
				part.Offset, part.Bytes = s.Offset+first/per*size, n/per*size
				return &part
			}
		}
	}
	return &pieces{of: t.Data, parts: []tensor.Span{{Lo: first, Hi: first + n}}, values: t.Len()}
}

// swapped views a tensor whose two halves, by the first dimension, change places.
func swapped(t *tensor.Tensor, name string) *tensor.Tensor {
	n := t.Len()
	data := &pieces{of: t.Data, parts: []tensor.Span{{Lo: n / 2, Hi: n}, {Lo: 0, Hi: n / 2}}, values: n}
	return &tensor.Tensor{Name: name, DType: t.DType, Shape: slices.Clone(t.Shape), Data: data}
}

// pieces are runs of another tensor's values, one behind the other.
type pieces struct {
	of     tensor.Data
	parts  []tensor.Span
	values int64 // of the whole tensor
}

// ReadValues reads from each of the runs what lies in it.
func (p *pieces) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for _, s := range p.parts {
		size := s.Hi - s.Lo
		if first >= size {
			first -= size
			continue
		}
		n := min(int64(len(dst)), size-first)
		if err := p.of.ReadValues(ctx, dst[:n], s.Lo+first); err != nil {
			return err
		}
		if dst, first = dst[n:], 0; len(dst) == 0 {
			break
		}
	}
	return nil
}

// StoredBytes is the share of the whole tensor's.
func (p *pieces) StoredBytes() int64 {
	n := int64(0)
	for _, s := range p.parts {
		n += s.Hi - s.Lo
	}
	if n == p.values || p.values == 0 {
		return p.of.StoredBytes()
	}
	return int64(float64(p.of.StoredBytes()) * float64(n) / float64(p.values))
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
