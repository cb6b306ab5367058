// Package zoo makes networks in memory for tests, examples and benchmarks:
// families with a known lineage, and the edits and disguises that lead from
// one member to another.
package zoo

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Model is a tensor.Model whose values lie in memory.
type Model struct {
	Meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// New returns a model without tensors.
func New() *Model {
	return &Model{Meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}}
}

// Values is tensor.Data held as float32 values.
type Values = tensor.Values

// Add appends a float32 tensor; it panics when values do not fit the shape.
func (m *Model) Add(name string, values []float32, shape ...int64) {
	if n, ok := tensor.Elements(shape); !ok || n != int64(len(values)) || m.byName[name] != nil {
		panic(fmt.Sprintf("zoo: tensor %q of shape %v with %d values", name, shape, len(values)))
	}
	t := &tensor.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: Values(values)}
	m.tensors = append(m.tensors, t)
	m.byName[name] = t
}

// Tensors lists the tensors in the order they were added.
func (m *Model) Tensors() []*tensor.Tensor { return m.tensors }

// Tensor returns the tensor of that name.
func (m *Model) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := m.byName[name]
	return t, ok
}

// Metadata returns Meta.
func (m *Model) Metadata() tensor.Metadata { return m.Meta }

// Values returns the values of a tensor for editing in place; nil if there is
// no tensor of that name.
func (m *Model) Values(name string) []float32 {
	if t := m.byName[name]; t != nil {
		return t.Data.(Values)
	}
	return nil
}

// Clone copies the model and its values.
func (m *Model) Clone() *Model {
	c := New()
	for k, v := range m.Meta {
		c.Meta[k] = v
	}
	for _, t := range m.tensors {
		c.Add(t.Name, append([]float32(nil), t.Data.(Values)...), t.Shape...)
	}
	return c
}
