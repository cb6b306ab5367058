package gguf

import (
	"context"
	"fmt"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// maxDepth bounds arrays within arrays. ggml allows none, the format's text
// any number.
const maxDepth = 4

// Entry is one metadata pair. Its value lies in the file until asked for.
type Entry struct {
	Key    string
	Type   Type
	Offset int64 // of the value
}

// value reads past one value, checking it, and returns it if it is no array.
func (d *decoder) value(t Type, field string) (any, error) {
	at := d.Offset()
	switch {
	case t >= numTypes:
		return nil, d.fail(tensor.ErrFormat, at, field, "value type %d is unknown", uint32(t))
	case t == String:
		return d.str(field)
	case t == Array:
		return d.array(field, 1)
	}
	b, err := d.take(typeSizes[t], field)
	if err != nil {
		return nil, err
	}
	if t == Bool && b[0] > 1 {
		return nil, d.fail(tensor.ErrFormat, at, field, "a boolean is 0 or 1, found %d", b[0])
	}
	return d.scalar(t, b), nil
}

// array reads past an array and returns it as a list that decodes itself
// from the file on demand.
func (d *decoder) array(field string, depth int) (*list, error) {
	at := d.Offset()
	l := &list{d: *d, at: at, field: field}
	elem, err := d.u32(field)
	if err != nil {
		return nil, err
	}
	l.elem = Type(elem)
	if l.elem >= numTypes {
		return nil, d.fail(tensor.ErrFormat, at, field, "array element type %d is unknown", elem)
	}
	n, err := d.u64(field)
	if err != nil {
		return nil, err
	}
	if least := max(1, typeSizes[l.elem]); n > uint64(d.Remaining())/least {
		return nil, d.fail(io.ErrUnexpectedEOF, at, field, "%d elements claimed, %d bytes left in the file", n, d.Remaining())
	}
	if n > maxElements {
		return nil, d.fail(tensor.ErrLimit, at, field, "an array has at most %d elements, found %d", maxElements, n)
	}
	l.n = int64(n)
	return l, d.elements(l, field, depth)
}

// elements reads past the elements of an array.
func (d *decoder) elements(l *list, field string, depth int) error {
	switch l.elem {
	case String:
		for i := range l.n {
			if err := d.busy(i); err != nil {
				return err
			}
			n, err := d.u64(field)
			if err != nil {
				return err
			}
			at := d.Offset()
			if err := d.Skip(n); err != nil {
				return d.short(err, at, field)
			}
		}
	case Array:
		if depth >= maxDepth {
			return d.fail(tensor.ErrLimit, l.at, field, "arrays within arrays deeper than %d", maxDepth)
		}
		for i := range l.n {
			if err := d.busy(i); err != nil {
				return err
			}
			if _, err := d.array(field, depth+1); err != nil {
				return err
			}
		}
	case Bool:
		at := d.Offset()
		return d.booleans(uint64(l.n), at, field)
	default:
		at := d.Offset()
		if err := d.Skip(uint64(l.n) * typeSizes[l.elem]); err != nil {
			return d.short(err, at, field)
		}
	}
	return nil
}

// booleans checks an array of them a window at a time.
func (d *decoder) booleans(n uint64, at int64, field string) error {
	for n > 0 {
		b, err := d.take(min(n, 4096), field)
		if err != nil {
			return err
		}
		for i, v := range b {
			if v > 1 {
				return d.fail(tensor.ErrFormat, at+int64(i), field, "a boolean is 0 or 1, found %d", v)
			}
		}
		at, n = at+int64(len(b)), n-uint64(len(b))
	}
	return nil
}

// list is an array in the file.
type list struct {
	d     decoder // a copy whose cursor is replaced before use
	at    int64
	elem  Type
	n     int64
	field string
}

// values decodes the whole array; elements that are arrays become []any.
func (l *list) values(r io.ReaderAt, size int64) ([]any, error) {
	d := l.d
	d.ctx = context.Background()
	d.Cursor = saferio.NewCursor(r, size)
	if err := d.Skip(uint64(l.at)); err != nil {
		return nil, err
	}
	return d.items(l.field)
}

func (d *decoder) items(field string) ([]any, error) {
	elem, err := d.u32(field)
	if err != nil {
		return nil, err
	}
	n, err := d.u64(field)
	if err != nil {
		return nil, err
	}
	if n > decodedElements {
		return nil, d.fail(tensor.ErrLimit, d.Offset(), field, "%d elements are not decoded, at most %d", n, decodedElements)
	}
	var out []any
	held := 0
	for range n {
		var v any
		switch Type(elem) {
		case Array:
			v, err = d.items(field)
		default:
			v, err = d.value(Type(elem), field)
		}
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			held += len(s)
		}
		if _, long := v.(longString); long || held > decodedBytes {
			return nil, d.fail(tensor.ErrLimit, d.Offset(), field, "elements of more than %d bytes together are not decoded", decodedBytes)
		}
		out = append(out, v)
	}
	return out, nil
}

// exported turns a list into the form that tensor.Metadata carries.
func (l *list) exported(r io.ReaderAt, size int64) *tensor.List {
	return &tensor.List{
		Len: int(l.n),
		Strings: func() ([]string, error) {
			return converted(l, r, size, func(v any) (string, bool) { s, ok := v.(string); return s, ok })
		},
		Floats: func() ([]float64, error) {
			return converted(l, r, size, func(v any) (float64, bool) {
				switch v := v.(type) {
				case uint64:
					return float64(v), true
				case int64:
					return float64(v), true
				case float64:
					return v, true
				}
				return 0, false
			})
		},
	}
}

func converted[T any](l *list, r io.ReaderAt, size int64, to func(any) (T, bool)) ([]T, error) {
	values, err := l.values(r, size)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(values))
	for i, v := range values {
		t, ok := to(v)
		if !ok {
			return nil, fmt.Errorf("%s: %w: elements of type %v", l.field, tensor.ErrFormat, l.elem)
		}
		out[i] = t
	}
	return out, nil
}
