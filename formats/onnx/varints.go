package onnx

import (
	"encoding/binary"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// scalars are values that stood one by one, as bytes.
type scalars struct {
	values []uint64
	size   int64
}

func (s *scalars) ReadAt(p []byte, off int64) (int, error) {
	all := make([]byte, 0, 8*len(s.values))
	for _, v := range s.values {
		all = append(all, le(v)[:s.size]...)
	}
	if off >= int64(len(all)) {
		return 0, io.EOF
	}
	n := copy(p, all[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// le is a number in little-endian order.
func le(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// spaced are floats that stand one by one, each behind a tag of one byte.
type spaced struct {
	r     io.ReaderAt
	where run // of the first; n counts the floats' bytes
}

func (s *spaced) ReadAt(p []byte, off int64) (int, error) {
	n := max(0, min(int64(len(p)), s.where.n-off))
	buf := make([]byte, min(n/4*5+10, 40<<10))
	for done := int64(0); done < n; {
		first := (off + done) / 4
		k := min(n-done, int64(len(buf))/5*4-4)
		last := (off + done + k - 1) / 4
		part := buf[:(last-first)*5+4]
		if m, err := s.r.ReadAt(part, s.where.at+first*5); m < len(part) {
			return int(done), err
		}
		for i := range k {
			at := off + done + i
			p[done+i] = part[(at/4-first)*5+at%4]
		}
		done += k
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// varints are values that stand packed as numbers of several bytes each. Where
// every stride-th of them begins is kept, so that any can be found.
type varints struct {
	file, name string
	r          io.ReaderAt
	where      run
	count      int64 // of numbers
	size       int64 // bytes of each that are kept

	starts []int64 // of numbers 0, stride, 2·stride …, in the file
}

const stride = 4096

// index finds the numbers.
func (v *varints) index() error {
	c := saferio.NewCursor(io.NewSectionReader(v.r, v.where.at, v.where.n), v.where.n)
	n, begins := int64(0), true
	for c.Remaining() > 0 {
		at := c.Offset()
		b, err := c.Next(uint64(min(c.Remaining(), 32<<10)))
		if err != nil {
			return v.fail(at, "%v", err)
		}
		for i, x := range b {
			if begins && n%stride == 0 {
				v.starts = append(v.starts, at+int64(i))
			}
			if begins = x < 0x80; begins {
				n++
			}
		}
	}
	if n != v.count || !begins {
		return v.fail(0, "%d numbers, the shape asks for %d", n, v.count)
	}
	return nil
}

func (v *varints) fail(at int64, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrFormat, v.file, v.where.at+at, "tensor "+quote(v.name), rule, args...)
}

// ReadAt fills p with the values as bytes.
func (v *varints) ReadAt(p []byte, off int64) (int, error) {
	total := v.count * v.size
	n := max(0, min(int64(len(p)), total-off))
	if n > 0 {
		if err := v.read(p[:n], off); err != nil {
			return 0, err
		}
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// read fills p, from the last known start before it.
func (v *varints) read(p []byte, off int64) error {
	first := off / v.size
	at := v.starts[first/stride]
	c := saferio.NewCursor(io.NewSectionReader(v.r, v.where.at+at, v.where.n-at), v.where.n-at)
	skip := off - first*v.size
	for i := first / stride * stride; len(p) > 0; i++ {
		x, err := number(c)
		if err != nil {
			return v.fail(at+c.Offset(), "number %d: %v", i, err)
		}
		if i < first {
			continue
		}
		k := copy(p, le(x)[skip:v.size])
		p, skip = p[k:], 0
	}
	return nil
}

// number reads one varint.
func number(c *saferio.Cursor) (uint64, error) {
	x := uint64(0)
	for shift := 0; shift < 70; shift += 7 {
		b, err := c.Next(1)
		if err != nil {
			return 0, err
		}
		x |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return x, nil
		}
	}
	return 0, tensor.ErrFormat
}
