package tflite

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
)

// File is the description of a model. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	// Warnings name what is listed and cannot be read.
	Warnings []string
	// Constants is how many constants are no weights and not listed: shapes,
	// axes, indices and the like.
	Constants int

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

const (
	identifier  = "TFL3"
	maxRank     = 64
	maxShape    = 8 // integers that a shape, a list of axes or the like has at most
	maxWarnings = 20
	maxShare    = 64 // times the bytes of the file that all tensors together may have
	freeShare   = 64 << 20
)

// kind is an element type.
type kind struct {
	name  string
	dtype tensor.DType
	bits  int64
}

// kinds are the element types by their number in TensorType.
var kinds = map[int64]kind{
	0: {"FLOAT32", tensor.F32, 32}, 1: {"FLOAT16", tensor.F16, 16}, 2: {"INT32", tensor.I32, 32}, 3: {"UINT8", tensor.U8, 8}, 4: {"INT64", tensor.I64, 64},
	6: {"BOOL", tensor.Bool, 8}, 7: {"INT16", tensor.I16, 16}, 8: {"COMPLEX64", tensor.C64, 64}, 9: {"INT8", tensor.I8, 8}, 10: {"FLOAT64", tensor.F64, 64},
	11: {"COMPLEX128", tensor.C128, 128}, 12: {"UINT64", tensor.U64, 64}, 15: {"UINT32", tensor.U32, 32}, 16: {"UINT16", tensor.U16, 16}, 17: {"INT4", tensor.Invalid, 4}, 18: {"BFLOAT16", tensor.BF16, 16},
}

// typeString is the number of the type that holds texts.
const typeString = 5

// Recognises tells from a file's beginning whether it is a TFLite model.
func Recognises(head []byte) bool { return len(head) >= 8 && string(head[4:8]) == identifier }

// Read finds the tensors of a model of size bytes. name is used in errors. No
// values are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	b := &buffer{file: name, r: r, size: size, pages: map[int64][]byte{}, left: maxObjects}
	head, err := b.take(0, 8, "identifier")
	if err != nil {
		return nil, err
	}
	if !Recognises(head) {
		return nil, b.fail(tensor.ErrNotModel, 4, "identifier", "no TensorFlow Lite model: %s expected", identifier)
	}
	at, err := b.follow(0, "model")
	if err != nil {
		return nil, err
	}
	root, err := b.table(at, "model")
	if err != nil {
		return nil, err
	}
	f := &File{meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}}
	m := &reader{f: f, b: b}
	version, err := root.number(0, 4, 0)
	if err != nil {
		return nil, err
	}
	text, err := root.text(3)
	if err != nil {
		return nil, err
	}
	f.meta["tflite.version"], f.meta["tflite.description"] = version, strings.ToValidUTF8(text, "\uFFFD")
	if err := root.tables(4, "buffer", m.buffer); err != nil {
		return nil, err
	}
	err = root.tables(2, "subgraph", func(k int64, g *table) error {
		m.graph = k
		return g.tables(0, "tensor", func(_ int64, t *table) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return m.tensor(t)
		})
	})
	if err != nil {
		return nil, err
	}
	f.meta["tflite.constants"] = int64(f.Constants)
	return f, nil
}

// reader makes tensors of a model's tables.
type reader struct {
	f       *File
	b       *buffer
	buffers []vector
	graph   int64
	total   int64
}

// buffer notes where the bytes of a buffer lie: in the flatbuffer, or behind it
// where models are large.
func (m *reader) buffer(_ int64, t *table) error {
	v, err := t.vector(0, 1)
	if err != nil {
		return err
	}
	off, err := t.number(1, 8, 0)
	if err != nil {
		return err
	}
	n, err := t.number(2, 8, 0)
	if err != nil {
		return err
	}
	if off > 1 { // 0 and 1 stand for none
		if v.n > 0 || n < 0 || off > m.b.size || n > m.b.size-off {
			return m.b.fail(io.ErrUnexpectedEOF, t.at, "buffer", "%d bytes at offset %d, but the file has %d", n, off, m.b.size)
		}
		v = vector{off, n}
	}
	m.buffers = append(m.buffers, v)
	return nil
}

// stored is what a Tensor table says.
type stored struct {
	name   string
	typ    int64
	kind   kind
	shape  []int64
	at     int64
	data   vector
	sparse bool
}

func (m *reader) fail(s *stored, class error, rule string, args ...any) error {
	return m.b.fail(class, s.at, "tensor "+strconv.QuoteToASCII(s.name), rule, args...)
}

// tensor lists a tensor that has a buffer.
func (m *reader) tensor(t *table) error {
	s := &stored{at: t.at}
	var err error
	if s.name, err = t.text(3); err != nil {
		return err
	}
	if !utf8.ValidString(s.name) {
		return m.fail(s, tensor.ErrFormat, "the name is not UTF-8")
	}
	if s.shape, err = t.ints(0, maxRank); err != nil {
		return err
	}
	if s.typ, err = t.number(1, 1, 0); err != nil {
		return err
	}
	i, err := t.number(2, 4, 0)
	if err != nil {
		return err
	}
	if i = int64(uint32(i)); i >= int64(len(m.buffers)) {
		return m.fail(s, tensor.ErrFormat, "buffer %d of %d", i, len(m.buffers))
	}
	if s.data = m.buffers[i]; s.data.n == 0 {
		return nil // it is computed
	}
	if at, err := t.follow(6); err != nil {
		return err
	} else if at != 0 {
		s.sparse = true
	}
	q, err := t.child(4, "quantization")
	if err != nil {
		return err
	}
	return m.list(s, q)
}

// list makes a tensor of what a table says.
func (m *reader) list(s *stored, q *table) error {
	k, ok := kinds[s.typ]
	switch {
	case s.typ == typeString:
		m.f.Constants++
		return nil
	case !ok:
		return m.opaque(s, fmt.Sprintf("is of type %d", s.typ))
	case s.sparse:
		return m.opaque(s, "is stored sparse")
	}
	s.kind = k
	span := int64(1)
	for _, n := range s.shape {
		if n < 0 || n > 0 && span > 1<<56/n {
			return m.fail(s, tensor.ErrFormat, "shape %v: a dimension is negative or the product too large", s.shape)
		}
		span *= max(n, 1)
	}
	n, _ := tensor.Elements(s.shape)
	if want := (n*k.bits + 7) / 8; want != s.data.n {
		return m.fail(s, tensor.ErrFormat, "a buffer of %d bytes, %s of shape %v asks for %d", s.data.n, k.name, s.shape, want)
	}
	integer := k.dtype == tensor.Invalid || k.dtype.Kind() == tensor.KindInteger
	if integer {
		if a, err := m.affine(s, q); err != nil || a != nil {
			if err == nil {
				err = m.add(s, codeType(k), a)
			}
			return err
		}
	}
	switch {
	case integer && k.bits >= 8 && (n <= 1 || n <= maxShape && len(s.shape) <= 1), n == 0:
		m.f.Constants++
		return nil
	case integer && k.bits <= 16 && k.dtype != tensor.Bool:
		return m.opaque(s, "holds integers without a scale")
	}
	return m.add(s, k.dtype, m.plain(s))
}

// plain is a tensor's numbers as they lie in the file.
func (m *reader) plain(s *stored) tensor.Data {
	return &tensor.Stored{File: m.b.file, Name: s.name, R: m.b.r, Offset: s.data.at, Bytes: s.data.n, DType: s.kind.dtype}
}

// codeType names the codes of a quantised tensor.
func codeType(k kind) tensor.DType {
	switch k.bits {
	case 4:
		return tensor.Int4
	case 8:
		return tensor.Int8
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

// opaque lists a tensor that cannot be read.
func (m *reader) opaque(s *stored, why string) error {
	for _, n := range s.shape {
		if n < 0 {
			return m.fail(s, tensor.ErrFormat, "shape %v: a dimension is negative", s.shape)
		}
	}
	if _, ok := tensor.Elements(s.shape); !ok {
		return m.fail(s, tensor.ErrFormat, "shape %v: the product is too large", s.shape)
	}
	if len(m.f.Warnings) < maxWarnings {
		m.f.Warnings = append(m.f.Warnings, fmt.Sprintf("tensor %s %s; it is listed and not read", tensor.Printable(s.name), why))
	} else if len(m.f.Warnings) == maxWarnings {
		m.f.Warnings = append(m.f.Warnings, "and more of the kind")
	}
	s.kind.dtype = tensor.Opaque
	return m.add(s, tensor.Opaque, m.plain(s))
}

// add lists a tensor under its name, made unique by that of the subgraph.
func (m *reader) add(s *stored, t tensor.DType, d tensor.Data) error {
	name := s.name
	if name == "" {
		name = fmt.Sprintf("tensor_%d", len(m.f.tensors))
	}
	if m.f.byName[name] != nil {
		name = fmt.Sprintf("subgraph_%d/%s", m.graph, name)
	}
	if m.f.byName[name] != nil {
		name = fmt.Sprintf("%s#%d", name, len(m.f.tensors))
	}
	if m.total += d.StoredBytes(); m.total > maxShare*min(m.b.size, math.MaxInt64/maxShare-freeShare)+freeShare {
		return m.fail(s, tensor.ErrLimit, "the tensors up to this one have %d bytes, the file %d", m.total, m.b.size)
	}
	if m.f.byName[name] != nil {
		return m.fail(s, tensor.ErrFormat, "two tensors have this name")
	}
	x := &tensor.Tensor{Name: name, DType: t, Shape: s.shape, Data: d}
	m.f.tensors, m.f.byName[name] = append(m.f.tensors, x), x
	return nil
}

// Tensors lists the tensors, subgraph by subgraph.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the version and the description, under "tflite.".
func (f *File) Metadata() tensor.Metadata { return f.meta }
