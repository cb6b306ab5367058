package packed

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// part is one stored tensor of a module.
type part struct {
	*tensor.Tensor
	s *tensor.Stored
}

// columns reads columns [c0, c1) of rows [r0, r1) of a table of 32-bit words
// that is width wide: row by row, or all at once where rows lie together.
func (p part) columns(ctx context.Context, raw []byte, width, r0, r1, c0, c1 int64) error {
	if c1-c0 == width {
		return p.s.ReadRaw(raw, 4*r0*width)
	}
	n := 4 * (c1 - c0)
	for r := r0; r < r1; r++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.s.ReadRaw(raw[(r-r0)*n:][:n], 4*(r*width+c0)); err != nil {
			return err
		}
	}
	return nil
}

// module is the stored tensors that share a name but for the ending, and the
// first thing that was found wrong with them.
type module struct {
	ctx   context.Context
	stem  string
	parts map[string]*tensor.Tensor // by ending
	used  map[string]bool           // endings that the logical tensor stands for
	cfg   *config
	out   *Model
	err   error

	logical *tensor.Tensor // what the module stands for, nil if it is not packed
	layout  string         // the layout's name
}

// has tells whether the module has a tensor of that ending.
func (m *module) has(ending string) bool { return m.parts[ending] != nil }

// fail records the first fault: a rule that the tensor of an ending breaks.
func (m *module) fail(class error, ending, rule string, args ...any) {
	if m.err != nil {
		return
	}
	file, offset := "checkpoint", int64(-1)
	if t := m.parts[ending]; t != nil {
		if s, ok := t.Stored(); ok {
			file, offset = s.File, s.Offset
		}
	}
	m.err = tensor.Errorf(class, file, offset, "tensor "+escape.Printable(m.stem+ending), rule, args...)
}

// require records a fault unless ok.
func (m *module) require(ok bool, ending, rule string, args ...any) {
	if !ok {
		m.fail(tensor.ErrFormat, ending, rule, args...)
	}
}

// anyRank lets part take a tensor of any number of dimensions.
const anyRank = -1

// part fetches a tensor of the given number of dimensions and one of the
// types. On a fault it returns a tensor of ones, so that callers can go on to
// compute with shapes.
func (m *module) part(ending string, rank int, types ...tensor.DType) part {
	t := m.parts[ending]
	m.used[ending] = true
	if t == nil {
		m.fail(tensor.ErrFormat, ending, "the tensor is missing: %s needs it", escape.Printable(m.stem))
		return ones(rank)
	}
	s, ok := t.Stored()
	switch {
	case !ok || s.BigEndian:
		m.fail(tensor.ErrUnsupported, ending, "a part of a packed tensor lies in one little-endian run of bytes")
	case rank != anyRank && len(t.Shape) != rank:
		m.fail(tensor.ErrFormat, ending, "shape %v, %d dimensions expected", t.Shape, rank)
	case len(types) > 0 && !slices.Contains(types, t.DType):
		m.fail(tensor.ErrUnsupported, ending, "type %v, expected %v", t.DType, types)
	case slices.ContainsFunc(t.Shape, func(d int64) bool { return d < 1 }):
		m.fail(tensor.ErrFormat, ending, "shape %v has an empty dimension", t.Shape)
	default:
		return part{t, s}
	}
	return ones(rank)
}

// ones stands in for a tensor that is not there.
func ones(rank int) part {
	shape := make([]int64, max(rank, 2))
	for i := range shape {
		shape[i] = 1
	}
	return part{&tensor.Tensor{Shape: shape}, &tensor.Stored{}}
}

// shape records a fault unless a part has that shape.
func (m *module) shape(p part, ending string, want ...int64) {
	if m.err == nil {
		m.require(slices.Equal(p.Shape, want), ending, "shape %v, the other tensors of the module ask for %v", p.Shape, want)
	}
}

// ignore marks tensors that the logical tensor makes superfluous: scales of
// activations.
func (m *module) ignore(endings ...string) {
	for _, e := range endings {
		m.used[e] = m.has(e)
	}
}

// floats reads n values of a small part, at most 256.
func (m *module) floats(p part, ending string, n int64) []float32 {
	out := make([]float32, n)
	if m.err != nil {
		return out
	}
	if p.Len() != n {
		m.fail(tensor.ErrFormat, ending, "%d values, expected %d", p.Len(), n)
		return out
	}
	if err := p.Data.ReadValues(m.ctx, out, 0); err != nil {
		m.err = err
	}
	return out
}

// as reads the bytes of a part as another type of one byte.
func (p part) as(t tensor.DType) part {
	s := *p.s
	s.DType = t
	return part{&tensor.Tensor{Name: p.Name, DType: t, Shape: p.Shape, Data: &s}, &s}
}

// warn adds a note, once for each rule: what holds for one module holds for
// its hundreds of neighbours.
func (m *module) warn(rule string, args ...any) {
	if !m.out.warned[rule] {
		m.out.warned[rule] = true
		m.out.warn(fmt.Sprintf(rule, args...))
	}
}

// finish makes the logical tensor, counting the bytes of all its parts.
func (m *module) finish(x *matrix, name string, t tensor.DType, shape ...int64) *tensor.Tensor {
	x.stored = m.bytes()
	return x.logical(name, t, shape...)
}
