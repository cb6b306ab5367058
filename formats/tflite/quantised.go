package tflite

import (
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
)

// codeType names the codes of a quantised tensor; integers of 64 bits are numbers that need
// no type of their own.
func codeType(k kind) tensor.DType {
	if t := tensor.PackedInt(int(k.bits)); t != tensor.Invalid {
		return t
	}
	return tensor.F32
}

// affine reads the scales of a quantised tensor; nil if it has none.
func (m *reader) affine(s *stored, q *table) (*packed.Affine, error) {
	if q == nil {
		return nil, nil
	}
	scales, err := q.vector(2, 4)
	if err != nil || scales.n == 0 {
		return nil, err
	}
	zeros, err := q.vector(3, 8)
	if err != nil {
		return nil, err
	}
	details, err := q.number(4, 1, 0)
	if err != nil {
		return nil, err
	}
	if details != 0 {
		return nil, m.fail(s, tensor.ErrUnsupported, "quantisation of kind %d is not read", details)
	}
	axis, err := q.number(6, 4, 0)
	if err != nil {
		return nil, err
	}
	switch {
	case scales.n == 1:
		axis = -1
	case axis < 0 || axis >= int64(len(s.shape)) || s.shape[axis] != scales.n:
		return nil, m.fail(s, tensor.ErrFormat, "%d scales along dimension %d of shape %v", scales.n, axis, s.shape)
	}
	if zeros.n != 0 && zeros.n != scales.n && zeros.n != 1 {
		return nil, m.fail(s, tensor.ErrFormat, "%d zero-points for %d scales", zeros.n, scales.n)
	}
	a := &packed.Affine{
		What: packed.ByAxis(strings.TrimPrefix(s.kind.name, "U"), int(axis), 1), Shape: s.shape, Block: packed.Blocks(s.shape, int(axis), 1), Gap: 1,
		Codes: m.codes(s), Scale: m.numbers(scales, 4, tensor.F32, scales.n),
	}
	if zeros.n > 0 {
		a.Zero = m.numbers(zeros, 8, tensor.I64, scales.n)
	}
	if s.kind.bits >= 32 {
		a.Slack = 1.0 / (1 << 24) // the codes are rounded to float32
	}
	return a, nil
}

// codes gives the stored integers; those of four bits one a byte.
func (m *reader) codes(s *stored) tensor.Data {
	if s.kind.dtype != tensor.Invalid {
		return m.plain(s)
	}
	n, _ := tensor.Elements(s.shape)
	return sized{&tensor.Stored{File: m.b.file, Name: s.name, R: strided.Bits(m.b.r, s.data.at, 4, true, n), Bytes: n, DType: tensor.I8}, s.data.n}
}

// sized is Data that takes another number of bytes of the file.
type sized struct {
	tensor.Data
	bytes int64
}

func (s sized) StoredBytes() int64 { return s.bytes }

// numbers gives a list of numbers, one of them repeated n times.
func (m *reader) numbers(v vector, size int64, t tensor.DType, n int64) tensor.Data {
	s := &tensor.Stored{File: m.b.file, Name: "quantization", R: m.b.r, Offset: v.at, Bytes: v.n * size, DType: t}
	if v.n == 1 && n > 1 {
		return packed.Repeated{Data: s}
	}
	return s
}
