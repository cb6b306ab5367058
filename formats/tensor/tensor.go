package tensor

import (
	"context"
	"iter"
	"math"
)

// Tensor is one named array of a checkpoint. Shape is row-major, outermost
// dimension first, whatever the file's own order; a scalar has no dimensions.
type Tensor struct {
	Name  string
	DType DType
	Shape []int64
	Data  Data
}

// Data gives the values of one tensor. Implementations are safe for
// concurrent use.
type Data interface {
	// ReadValues decodes the values [first, first+len(dst)) in row-major
	// order. The range lies within the tensor.
	ReadValues(ctx context.Context, dst []float32, first int64) error
	// StoredBytes is how many bytes of the checkpoint the values take.
	StoredBytes() int64
}

// Lattice is Data whose values lie on a lattice that is not that of an element
// type: packed tensors, whose scales lie apart. It is optional.
type Lattice interface {
	// ReadSteps gives, for the values [first, first+len(dst)), the distance to
	// the neighbouring value of the same block, the larger one where the two
	// differ. What the scale may have lost when it was stored is added, so
	// that rounding moves a value by at most half of what is given, except at
	// the ends of the code.
	ReadSteps(ctx context.Context, dst []float32, first int64) error
}

// Cells is Data whose codes stand for intervals of values: rounding to the
// nearest code takes each value to the code in whose cell it lies. It is optional.
type Cells interface {
	// ReadCells gives, for the values [first, first+len(lo)), the ends of the
	// cell of each code, widened by what the scale may have lost when it was
	// stored. At the ends of the code a cell is endless.
	ReadCells(ctx context.Context, lo, hi []float32, first int64) error
	// Compensated tells whether quantisers of the layout usually move codes to
	// make up for the error of others, so that rounding alone does not
	// determine them.
	Compensated() bool
}

// Elements returns the product of shape, or false when it does not fit an
// int64 or a dimension is negative.
func Elements(shape []int64) (int64, bool) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || (d != 0 && n > math.MaxInt64/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Len is the number of values ReadValues can give: the elements, twice as many
// for complex types.
func (t *Tensor) Len() int64 {
	n, _ := Elements(t.Shape) // readers have checked the product
	return n * t.width()
}

// width is the number of values an element has.
func (t *Tensor) width() int64 {
	switch t.DType {
	case c32, C64, C128:
		return 2
	}
	return 1
}

// Cols is the length of a row of the 2-D view: the last dimension, 1 for a
// scalar.
func (t *Tensor) Cols() int64 {
	if len(t.Shape) == 0 {
		return t.width()
	}
	return t.Shape[len(t.Shape)-1] * t.width()
}

// Rows is the number of rows of the 2-D view: the product of all dimensions
// but the last.
func (t *Tensor) Rows() int64 {
	if len(t.Shape) == 0 {
		return 1
	}
	n, _ := Elements(t.Shape[:len(t.Shape)-1])
	return n
}

// StoredBytes is how many bytes of the checkpoint the tensor takes.
func (t *Tensor) StoredBytes() int64 { return t.Data.StoredBytes() }

// ReadRows decodes rows [first, first+n) of the 2-D view into dst, whose
// length is n·Cols(). Only the bytes of those rows are read, rounded out to
// whole storage blocks: where a row of F4 or F6 values starts inside a block,
// the block is decoded and its other values dropped. Rows of ggml's quantised
// types always start on a block; files that say otherwise are refused.
func (t *Tensor) ReadRows(ctx context.Context, dst []float32, first, n int64) error {
	cols := t.Cols()
	if first < 0 || n < 0 || first > t.Rows()-n || int64(len(dst)) != n*cols {
		return Errorf(ErrLimit, t.Name, -1, "rows", "rows [%d, %d) into %d values: the tensor has %d rows of %d", first, first+n, len(dst), t.Rows(), cols)
	}
	return t.Data.ReadValues(ctx, dst, first*cols)
}

// Chunks streams all values in row-major order through buf. The yielded slice
// aliases buf and is valid until the next step; a yielded error ends the
// sequence.
func (t *Tensor) Chunks(ctx context.Context, buf []float32) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		total := t.Len()
		step := max(1, int64(len(buf)))
		ahead := max(1, FetchBytes/4/step) * step
		for first := int64(0); first < total; {
			if first%ahead == 0 {
				if err := Fetch(ctx, t.Data, []Span{{first, min(first+ahead, total)}}); err != nil {
					yield(nil, err)
					return
				}
			}
			part := buf[:min(int64(len(buf)), total-first)]
			if err := t.Data.ReadValues(ctx, part, first); err != nil {
				yield(nil, err)
				return
			}
			if !yield(part, nil) {
				return
			}
			first += int64(len(part))
		}
	}
}
