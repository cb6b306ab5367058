package torch

import (
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxRank bounds the dimensions of a tensor.
const maxRank = 64

// freeElements may be claimed by any tensor, whatever its storage holds:
// expanded masks and position tables. A larger tensor has no more elements
// than its storage.
const freeElements = 1 << 20

// storage is one run of bytes that tensors view: an entry of an archive, a
// stretch of an older file.
type storage struct {
	typ   *global
	bytes int64
	r     io.ReaderAt
	off   int64    // of the first byte, in r
	of    *storage // what it is a part of, nil if it is whole
	at    int64    // of the first byte in the file, of the deflated entry's where it is deflated
}

// view is a tensor: elements of a storage at an offset, with strides. Offset
// and strides count elements.
type view struct {
	s       *storage
	dtype   tensor.DType
	offset  int64
	shape   []int64
	strides []int64
	at      int64 // of the instruction that made it, in the file; -1 if inflated
}

// item is the number of bytes of an element of a type.
func item(d tensor.DType) int64 {
	codec, _ := d.Codec() // of a listed type
	return int64(codec.BlockBytes)
}

// tensor makes a view from (storage, offset, size, stride). typ is nil where
// the storage says the type.
func (m *machine) tensor(args tuple, typ *global) (value, error) {
	switch v := args[0].(type) {
	case *unread:
		return v, nil
	case *object:
		return nil, v.refused(m.file, m.what)
	}
	s, ok := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	if !ok || !ok2 {
		return nil, m.broken("a storage and an offset expected, found %s and %s", describe(args[0]), describe(args[1]))
	}
	v := &view{s: s, offset: offset, at: -1}
	if m.base >= 0 {
		v.at = m.outer + m.base + m.at
	}
	untyped := s.typ.dtype == tensor.Invalid
	switch {
	case typ == nil && untyped, typ != nil && !untyped:
		return nil, m.broken("the type stands either with the storage or with the tensor")
	case typ == nil:
		typ = s.typ
	}
	v.dtype = typ.dtype
	var err error
	if v.shape, err = m.sizes(args[2]); err != nil {
		return nil, err
	}
	if v.strides, err = m.sizes(args[3]); err != nil {
		return nil, err
	}
	return v, m.within(v)
}

// sizes reads a tuple of numbers that are not negative.
func (m *machine) sizes(v value) ([]int64, error) {
	t, ok := v.(tuple)
	if !ok {
		return nil, m.broken("a tuple of sizes expected, found %s", describe(v))
	}
	if len(t) > maxRank {
		return nil, m.fail(tensor.ErrLimit, "%d dimensions, at most %d", len(t), maxRank)
	}
	if err := m.charge(objectBytes + 8*int64(len(t))); err != nil {
		return nil, err
	}
	out := make([]int64, len(t))
	for i, x := range t {
		n, ok := x.(int64)
		if !ok || n < 0 {
			return nil, m.broken("sizes and strides are whole numbers from 0, found %s", describe(x))
		}
		out[i] = n
	}
	return out, nil
}

// within requires that every element of a view lies in its storage, and that
// a small storage does not pose as a huge tensor.
func (m *machine) within(v *view) error {
	if len(v.shape) != len(v.strides) || v.offset < 0 {
		return m.broken("shape %v, strides %v, offset %d do not fit together", v.shape, v.strides, v.offset)
	}
	size := item(v.dtype)
	room := v.s.bytes / size
	n, span, last := int64(1), size, v.offset
	if v.dtype == tensor.F4 {
		span = 2 // values of an element, which become so many elements
	}
	for i, d := range v.shape {
		if d != 0 && span > math.MaxInt64/d {
			return m.fail(tensor.ErrLimit, "the dimensions %v span more than 2^63-1 bytes or values", v.shape)
		}
		n, span = n*d, span*max(d, 1)
		reach := max(d-1, 0)
		if reach > 0 && v.strides[i] > (math.MaxInt64-last)/reach {
			return m.broken("the strides %v of shape %v reach beyond 2^63-1", v.strides, v.shape)
		}
		last += reach * v.strides[i]
	}
	switch {
	case n == 0 && v.offset > room:
		return m.broken("an empty tensor at element %d of a storage of %d", v.offset, room)
	case n > 0 && last >= room:
		return m.broken("shape %v, strides %v, offset %d reach element %d of a storage of %d", v.shape, v.strides, v.offset, last, room)
	case n > freeElements && n > room:
		return m.fail(tensor.ErrLimit, "a tensor of %d elements in a storage of %d", n, room)
	case v.dtype == tensor.F4 && len(v.shape) == 0:
		return m.broken("two values in a scalar")
	}
	return nil
}
