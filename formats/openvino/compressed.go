package openvino

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
)

// shaped is a compressed tensor whose shape divides its numbers otherwise.
type shaped struct{ *packed.Affine }

// source follows an input back to the constant that it is, or nil.
func (m *reader) source(l *layer, input int) *constant {
	for range maxHops {
		if input >= len(l.inputs) || l.inputs[input].from == nil {
			return nil
		}
		l, input = l.inputs[input].from, 0
		if l.typ == "Const" {
			c, err := m.constant(l)
			if err != nil {
				return nil // it is refused where it is listed
			}
			return c
		}
		if l.typ != "Convert" {
			return nil
		}
	}
	return nil
}

// only is the one operation that takes what a layer gives.
func (l *layer) only() (user, bool) {
	if len(l.users) != 1 {
		return user{}, false
	}
	return l.users[0], true
}

// steps are the operations that make numbers of codes: after a conversion a
// zero-point is subtracted, then a scale multiplied.
type steps struct {
	zero, scale *constant
	end         *layer
}

// made finds the steps behind a constant of codes.
func (m *reader) made(l *layer) (s steps, ok bool) {
	u, ok := l.only()
	if !ok || u.l.typ != "Convert" {
		return s, false
	}
	at := u.l
	for range maxHops {
		if u, ok = at.only(); !ok || u.l.typ != "Convert" {
			break
		}
		at = u.l
	}
	if ok && u.l.typ == "Subtract" && u.input == 0 {
		if s.zero = m.source(u.l, 1); s.zero == nil {
			return s, false
		}
		at = u.l
		u, ok = at.only()
	}
	if !ok || u.l.typ != "Multiply" {
		return s, false
	}
	s.scale, s.end = m.source(u.l, 1-u.input&1), u.l
	return s, s.scale != nil
}

// scales tells whether a constant is a scale or a zero-point of codes.
func (m *reader) scales(l *layer) bool {
	for range maxHops {
		u, ok := l.only()
		switch {
		case !ok:
			return false
		case u.l.typ == "Convert":
			l = u.l
			continue
		case (u.l.typ == "Multiply" || u.l.typ == "Subtract") && len(u.l.inputs) == 2:
			return m.codes(u.l, 1-u.input)
		}
		return false
	}
	return false
}

// codes tells whether an input comes from a constant of codes.
func (m *reader) codes(l *layer, input int) bool {
	for range maxHops {
		if input < 0 || input >= len(l.inputs) || l.inputs[input].from == nil {
			return false
		}
		l, input = l.inputs[input].from, 0
		switch l.typ {
		case "Const":
			e := elems[l.data["element_type"]]
			s, ok := m.made(l)
			return e.code != 0 && ok && s.scale != nil
		case "Convert", "Subtract":
			continue
		}
		return false
	}
	return false
}

// compressed reads a tensor of codes; nil where nothing scales them. The shape
// is that which the graph gives the numbers.
func (m *reader) compressed(c *constant, integer bool) (*packed.Affine, []int64, error) {
	s, ok := m.made(c.layer)
	if !ok {
		return nil, nil, nil
	}
	block, err := m.blocks(c, s.scale)
	if err != nil {
		return nil, nil, err
	}
	var order []int
	shape := c.shape
	if r, ok := m.reshaped(s.end, c.elements); ok {
		shape = r
	} else if u, ok := s.end.last(); ok && anonymous.MatchString(c.name) && u.turns(len(c.shape)) {
		order = []int{1, 0}
		shape = []int64{c.shape[1], c.shape[0]}
	}
	what := strings.ToUpper(strings.TrimPrefix(c.typ, "u"))
	if integer {
		what = fmt.Sprintf("INT%d", c.elem.bits)
	}
	a := &packed.Affine{What: what + " scaled", Shape: pick(c.shape, order), Block: pick(block, order)}
	_, a.Codes = m.data(c, order)
	if integer {
		a.Gap = 1
	}
	if a.Scale, err = m.grid(c, s.scale, block, order); err != nil {
		return nil, nil, err
	}
	if s.zero != nil {
		if a.Zero, err = m.grid(c, s.zero, block, order); err != nil {
			return nil, nil, err
		}
	}
	if s.scale.elem.dtype == tensor.BF16 {
		a.Slack = 1.0 / (1 << 9)
	}
	return a, shape, nil
}

// blocks tells from the shape of the scales how many neighbours share one: all
// or none along each dimension.
func (m *reader) blocks(c, scale *constant) ([]int64, error) {
	shape := scale.shape
	for len(shape) < len(c.shape) {
		shape = append([]int64{1}, shape...)
	}
	block := slices.Clone(c.shape)
	for i, n := range c.shape {
		switch {
		case len(shape) != len(c.shape) || shape[i] != 1 && shape[i] != n:
			return nil, m.fail(c.layer, tensor.ErrFormat, "scales of shape %v for codes of shape %v", scale.shape, c.shape)
		case shape[i] == n:
			block[i] = 1
		}
	}
	return block, nil
}

// grid gives the scales or zero-points of blocks.
func (m *reader) grid(of, c *constant, block []int64, order []int) (tensor.Data, error) {
	shape, want := make([]int64, len(block)), int64(1)
	for i, n := range of.shape {
		shape[i] = (n + block[i] - 1) / block[i]
		want *= shape[i]
	}
	if c.elements != want {
		if c.elements == 1 {
			_, d := m.data(c, nil)
			return packed.Repeated{Data: d}, nil
		}
		return nil, m.fail(of.layer, tensor.ErrFormat, "%s of shape %v for %v blocks", quote(c.name), c.shape, shape)
	}
	x := *c
	x.shape = shape
	_, d := m.data(&x, order)
	return d, nil
}

// reshaped is the shape that a Reshape behind the scaling gives, where that is
// a constant: groups of a row are joined again.
func (m *reader) reshaped(l *layer, elements int64) ([]int64, bool) {
	u, ok := l.last()
	if !ok || u.l.typ != "Reshape" || u.input != 0 {
		return nil, false
	}
	c := m.source(u.l, 1)
	if c == nil || c.elements < 1 || c.elements > maxRank || c.elem.dtype != tensor.I64 && c.elem.dtype != tensor.I32 {
		return nil, false
	}
	values := make([]float32, c.elements)
	_, d := m.data(c, nil)
	if d.ReadValues(context.Background(), values, 0) != nil {
		return nil, false
	}
	shape := make([]int64, len(values))
	for i, v := range values {
		shape[i] = int64(v)
	}
	n, ok := tensor.Elements(shape)
	return shape, ok && n == elements
}

// last is the operation that uses what a layer gives, behind conversions.
func (l *layer) last() (user, bool) {
	for range maxHops {
		if len(l.users) == 0 {
			return user{}, false
		}
		u := l.users[0]
		if u.l.typ != "Convert" {
			return u, true
		}
		l = u.l
	}
	return user{}, false
}

// turns tells whether a matrix that an input is lies inputs × outputs.
func (u user) turns(rank int) bool {
	return rank == 2 && u.l.typ == "MatMul" && u.input == 1 && u.l.data["transpose_b"] != "true"
}
