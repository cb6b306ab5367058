package tflite

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
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

// stored is what a Tensor table says.
type stored struct {
	name   string
	typ    int64
	kind   kind
	shape  []int64
	at     int64
	data   vector
	sparse *table // nil where it is not
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
	if s.sparse, err = t.child(6, "sparsity"); err != nil {
		return err
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
	case s.sparse != nil:
		return m.thin(s, s.sparse, k)
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
		m.f.Warnings = append(m.f.Warnings, fmt.Sprintf("tensor %s %s; it is listed and not read", escape.Printable(s.name), why))
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
