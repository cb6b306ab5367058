package hdf5

import (
	"bytes"
	"io"

	"github.com/weightprint/weightprint/internal/escape"
)

// dataset is what a dataset's header says of its values.
type dataset struct {
	f     *file
	name  string
	shape []int64
	typ   elementType
	bytes int64 // of all values
	pipe  pipeline
}

// storage returns where the values' bytes lie in row-major order: a reader and
// the offset of the first in it.
func (d *dataset) storage(o *object) (io.ReaderAt, int64, error) {
	m := o.find(msgPlace)
	if m == nil {
		return nil, 0, d.fail("layout", "the dataset has no layout")
	}
	var err error
	if d.pipe, err = d.f.pipeline(o.find(msgPipe)); err != nil {
		return nil, 0, err
	}
	v := m.version(3, 4, 5)
	class := m.u8()
	if m.err != nil {
		return nil, 0, m.err
	}
	if class != 2 && len(d.pipe) > 0 {
		return nil, 0, d.fail("layout", "filters on data that are not in chunks")
	}
	switch class {
	case 0:
		n := uint64(m.u16())
		b := m.bytes(n)
		m.require(int64(n) == d.bytes, "%d bytes for %d of values", n, d.bytes)
		return bytes.NewReader(b), 0, m.err
	case 1:
		return d.contiguous(m, o)
	case 2:
		r, err := d.chunked(m, v, o)
		return r, 0, err
	}
	return nil, 0, d.unsupported("layout", "a layout of class %d", class)
}

func (d *dataset) fail(field, rule string, args ...any) error {
	return d.f.fail(-1, "dataset "+escape.Printable(d.name)+" "+field, rule, args...)
}

func (d *dataset) unsupported(field, rule string, args ...any) error {
	return d.f.unsupported(-1, "dataset "+escape.Printable(d.name)+" "+field, rule, args...)
}

// contiguous finds data in one run.
func (d *dataset) contiguous(m *message, o *object) (io.ReaderAt, int64, error) {
	address, n := m.u64(), m.u64()
	if m.err != nil {
		return nil, 0, m.err
	}
	if address == none || d.bytes == 0 {
		return zeros{}, 0, d.unwritten(o)
	}
	m.require(int64(n) == d.bytes, "%d bytes for %d of values", n, d.bytes)
	if m.err != nil {
		return nil, 0, m.err
	}
	at, err := d.f.place(address, n, "dataset "+escape.Printable(d.name))
	return d.f.r, at, err
}

// unwritten allows values that were never written where they are zeros.
func (d *dataset) unwritten(o *object) error {
	m := o.find(msgFill)
	if m == nil || d.bytes == 0 {
		return nil
	}
	defined := false
	if v := m.version(1, 2, 3); v == 3 {
		defined = m.u8()&(1<<5) != 0
	} else {
		m.skip(2)
		defined = m.u8() != 0
	}
	if defined {
		n := uint64(m.u32())
		if b := m.bytes(n); !bytes.Equal(b, make([]byte, len(b))) {
			return d.unsupported("fill value", "values that were never written and are not zero")
		}
	}
	return m.err
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}
