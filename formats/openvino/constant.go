package openvino

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
)

// elem is an element type.
type elem struct {
	dtype  tensor.DType // Invalid for integers of less than a byte
	bits   int64
	signed bool
	code   tensor.DType // what the codes of a compressed tensor are called
}

var elems = map[string]elem{
	"f64": {tensor.F64, 64, true, 0}, "f32": {tensor.F32, 32, true, 0}, "f16": {tensor.F16, 16, true, 0}, "bf16": {tensor.BF16, 16, true, 0},
	"f8e4m3": {tensor.F8E4M3, 8, true, tensor.Named("FP8")}, "f8e5m2": {tensor.F8E5M2, 8, true, tensor.Named("FP8")}, "f8e8m0": {tensor.F8E8M0, 8, true, 0}, "f4e2m1": {tensor.F4, 4, true, tensor.Named("FP4")},
	"i64": {tensor.I64, 64, true, 0}, "i32": {tensor.I32, 32, true, tensor.PackedInt(32)}, "i16": {tensor.I16, 16, true, tensor.PackedInt(16)}, "i8": {tensor.I8, 8, true, tensor.PackedInt(8)}, "i4": {tensor.Invalid, 4, true, tensor.PackedInt(4)},
	"u64": {tensor.U64, 64, false, 0}, "u32": {tensor.U32, 32, false, 0}, "u16": {tensor.U16, 16, false, tensor.PackedInt(16)}, "u8": {tensor.U8, 8, false, tensor.PackedInt(8)}, "u4": {tensor.Invalid, 4, false, tensor.PackedInt(4)}, "u2": {tensor.Invalid, 2, false, tensor.PackedInt(2)},
	"boolean": {tensor.Bool, 8, false, 0},
}

// constant is a Const layer.
type constant struct {
	*layer
	elem     elem
	typ      string
	shape    []int64
	off, n   int64
	elements int64
}

func (m *reader) fail(l *layer, class error, rule string, args ...any) error {
	return tensor.Errorf(class, m.file, l.at, "layer "+quote(l.name), rule, args...)
}

// constant reads what a Const layer says of itself.
func (m *reader) constant(l *layer) (*constant, error) {
	c := &constant{layer: l, typ: l.data["element_type"], elements: 1}
	if c.typ == "string" {
		return c, nil
	}
	var ok bool
	if c.elem, ok = elems[c.typ]; !ok {
		return nil, m.fail(l, tensor.ErrUnsupported, "element_type %s is not read", quote(c.typ))
	}
	if text := strings.TrimSpace(l.data["shape"]); text != "" {
		for _, s := range strings.Split(text, ",") {
			n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			if err != nil || n < 0 || len(c.shape) == maxRank {
				return nil, m.fail(l, tensor.ErrFormat, "shape %.80s: at most %d numbers expected", quote(text), maxRank)
			}
			c.shape = append(c.shape, n)
		}
	}
	span := int64(1)
	for _, n := range c.shape {
		if n > 0 && span > 1<<56/n {
			return nil, m.fail(l, tensor.ErrFormat, "shape %v: the product is too large", c.shape)
		}
		span *= max(n, 1)
	}
	c.elements, _ = tensor.Elements(c.shape)
	for _, k := range []struct {
		key string
		to  *int64
	}{{"offset", &c.off}, {"size", &c.n}} {
		n, err := strconv.ParseInt(l.data[k.key], 10, 64)
		if err != nil || n < 0 {
			return nil, m.fail(l, tensor.ErrFormat, "%s %s is no number of bytes", k.key, quote(l.data[k.key]))
		}
		*k.to = n
	}
	if want := (c.elements*c.elem.bits + 7) / 8; want != c.n {
		return nil, m.fail(l, tensor.ErrFormat, "%d bytes, %s of shape %v asks for %d", c.n, c.typ, c.shape, want)
	}
	if c.off > m.size || c.n > m.size-c.off {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, m.label, c.off, "layer "+quote(l.name), "%d bytes at offset %d, but the file has %d", c.n, c.off, m.size)
	}
	return c, nil
}

// data gives a constant's numbers, its dimensions in another order.
func (m *reader) data(c *constant, order []int) ([]int64, tensor.Data) {
	s := &tensor.Stored{File: m.label, Name: c.name, R: m.bin, Offset: c.off, Bytes: c.n, DType: c.elem.dtype}
	shape := c.shape
	if c.elem.dtype == tensor.Invalid {
		s.R, s.Offset, s.Bytes, s.DType = strided.Bits(m.bin, c.off, c.elem.bits, c.elem.signed, c.elements), 0, c.elements, tensor.U8
		if c.elem.signed {
			s.DType = tensor.I8
		}
	}
	if order != nil {
		to, strides := strided.Transposed(c.shape, order)
		codec, _ := s.DType.Codec()
		shape, s.R, s.Offset = to, strided.New(s.R, s.Offset, to, strides, int64(codec.BlockBytes)), 0
	}
	return shape, s
}

// turned is the order that puts a matrix of no name of its own right.
func (c *constant) turned() []int {
	if u, ok := c.last(); ok && anonymous.MatchString(c.name) && u.turns(len(c.shape)) && c.elem.bits >= 8 {
		return []int{1, 0}
	}
	return nil
}

// flat is the shape of a vector that was given the dimensions of what it is
// added to or multiplied by.
func (c *constant) flat(shape []int64) []int64 {
	u, ok := c.last()
	if !ok || len(shape) < 2 || !slices.Contains([]string{"Add", "Multiply", "Subtract", "Divide"}, u.l.typ) {
		return shape
	}
	one := []int64{1}
	for _, n := range shape {
		switch {
		case n == 1:
		case one[0] != 1:
			return shape
		default:
			one[0] = n
		}
	}
	return one
}
