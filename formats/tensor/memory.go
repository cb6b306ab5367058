package tensor

import (
	"context"
	"fmt"
)

// Tensors is a Model of the given tensors without metadata: what a reader of one's
// own needs to return.
type Tensors []*Tensor

// Tensors lists the tensors in their order.
func (l Tensors) Tensors() []*Tensor { return l }

// Tensor returns the first tensor of that name.
func (l Tensors) Tensor(name string) (*Tensor, bool) {
	for _, t := range l {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Metadata is empty.
func (l Tensors) Metadata() Metadata { return Metadata{} }

// Values is Data held in memory.
type Values []float32

// ReadValues copies values.
func (v Values) ReadValues(_ context.Context, dst []float32, first int64) error {
	if first < 0 || int64(len(dst)) > int64(len(v))-first {
		return fmt.Errorf("tensor: values from %d, %d of them, of %d", first, len(dst), len(v))
	}
	copy(dst, v[first:])
	return nil
}

// StoredBytes is four a value.
func (v Values) StoredBytes() int64 { return 4 * int64(len(v)) }
