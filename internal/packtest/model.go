package packtest

import (
	"bytes"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Model is a folder that was never written: stored tensors over memory.
type Model struct {
	Meta    tensor.Metadata
	tensors []*tensor.Tensor
}

// Model returns the folder's tensors as a reader of its file would give them.
// It panics on element types that do not exist.
func (f *Folder) Model(meta tensor.Metadata) *Model {
	m := &Model{Meta: meta}
	for _, e := range f.entries {
		d, ok := tensor.ParseDType(e.dtype)
		if !ok {
			panic("packtest: type " + e.dtype)
		}
		m.tensors = append(m.tensors, &tensor.Tensor{Name: e.name, DType: d, Shape: e.shape, Data: &tensor.Stored{
			File: "memory", Name: e.name, R: bytes.NewReader(e.data), Bytes: int64(len(e.data)), DType: d,
		}})
	}
	return m
}

// Tensors lists the tensors in the order they were added.
func (m *Model) Tensors() []*tensor.Tensor { return m.tensors }

// Tensor returns the tensor of that name.
func (m *Model) Tensor(name string) (*tensor.Tensor, bool) {
	for _, t := range m.tensors {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Metadata returns Meta.
func (m *Model) Metadata() tensor.Metadata { return m.Meta }
