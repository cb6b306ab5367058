package safetensors

import (
	"context"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// run is where the values of a tensor lie. A model may have hundreds of thousands, so that
// it holds no more than sets them apart; what is asked of it is a Stored that it makes.
type run struct {
	in            *home
	of            *tensor.Tensor
	offset, bytes int64
}

// home is the file of the tensors.
type home struct {
	file string
	r    io.ReaderAt
}

func (r *run) stored() tensor.Stored {
	return tensor.Stored{File: r.in.file, Name: r.of.Name, R: r.in.r, Offset: r.offset, Bytes: r.bytes, DType: r.of.DType}
}

// Stored is where the values lie.
func (r *run) Stored() *tensor.Stored {
	s := r.stored()
	return &s
}

// ReadValues decodes values.
func (r *run) ReadValues(ctx context.Context, dst []float32, first int64) error {
	s := r.stored()
	return s.ReadValues(ctx, dst, first)
}

// StoredBytes is the length of the run.
func (r *run) StoredBytes() int64 { return r.bytes }
