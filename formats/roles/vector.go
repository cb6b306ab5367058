package roles

import (
	"context"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Vector is a 1-D view: a norm gain or a bias.
type Vector struct {
	Role   string
	Tensor *tensor.Tensor
	Len    int
	Plus   float32 // added to what is stored: 1 where γ is stored less one

	layout *layout // how the elements lie in the tensor; nil where element i is its value i
}

// newVector views a whole tensor of one axis.
func newVector(role string, t *tensor.Tensor) *Vector {
	return &Vector{Role: role, Tensor: t, Len: int(t.Len())}
}

// Read decodes the vector, Plus included.
func (v *Vector) Read(ctx context.Context) ([]float32, error) {
	lo, n := v.span()
	all := make([]float32, n)
	if err := v.Tensor.Data.ReadValues(ctx, all, lo); err != nil {
		return nil, err
	}
	out := v.pick(all, lo)
	for i := range out {
		out[i] += v.Plus
	}
	return out, nil
}

// Cost is how many stored bytes reading the vector takes, 0 for nil.
func (v *Vector) Cost() int64 {
	if v == nil || v.Tensor.Len() == 0 {
		return 0
	}
	_, n := v.span()
	return int64(float64(v.Tensor.StoredBytes()) / float64(v.Tensor.Len()) * float64(n))
}

// Steps gives the lattice step at each element, nil for storage that is no
// lattice of its own (tensor.Lattice).
func (v *Vector) Steps(ctx context.Context) ([]float32, error) {
	l, ok := v.Tensor.Data.(tensor.Lattice)
	if !ok {
		return nil, nil
	}
	lo, n := v.span()
	all := make([]float32, n)
	if err := l.ReadSteps(ctx, all, lo); err != nil {
		return nil, err
	}
	return v.pick(all, lo), nil
}

// at is the number of the tensor's value that is element i.
func (v *Vector) at(i int) int64 { return v.lies().base + v.lies().stored(i) }

// span is the run of the tensor's values that holds all elements.
func (v *Vector) span() (lo, n int64) {
	if v.Len == 0 {
		return 0, 0
	}
	lo = v.at(0)
	if v.lies().together() {
		return lo, int64(v.Len)
	}
	hi := lo
	for i := range v.Len {
		lo, hi = min(lo, v.at(i)), max(hi, v.at(i))
	}
	return lo, hi + 1 - lo
}

// pick takes the vector's elements out of the values from number lo on.
func (v *Vector) pick(all []float32, lo int64) []float32 {
	out := make([]float32, v.Len)
	for i := range out {
		out[i] = all[v.at(i)-lo]
	}
	return out
}

// like gives a bias the row selection of the matrix it belongs to.
func (v *Vector) like(m *Matrix) *Vector {
	if v == nil {
		return nil
	}
	l := *m.lies()
	return &Vector{Role: v.Role, Tensor: v.Tensor, Len: m.Rows, Plus: v.Plus, layout: &layout{base: v.lies().base, start: l.start, runLen: l.runLen, runStride: l.runStride, order: l.order}}
}

// Reordered returns the vector whose element i is element order[i] of v.
func (v *Vector) Reordered(order []int) *Vector {
	if v == nil {
		return nil
	}
	c, l := *v, *v.lies()
	l.order = composed(l.order, order)
	c.layout = &l
	return &c
}
