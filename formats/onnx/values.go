package onnx

import (
	"encoding/binary"
	"io"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// valuesAt is a constant's values as bytes: elements in little-endian order,
// one behind the other; those of less than a byte packed as in raw_data.
type valuesAt struct {
	io.ReaderAt
	file string
	off  int64
}

// Beside opens a file that lies in the folder of the model, by the name that
// the model gives.
type Beside func(name, field string) (r io.ReaderAt, size int64, label string, err error)

// locator finds the values of constants.
type locator struct {
	file   string
	r      io.ReaderAt
	size   int64
	beside Beside
	opened map[string]*besideFile
	total  int64 // bytes of all files together
}

type besideFile struct {
	r     io.ReaderAt
	size  int64
	label string
}

// locate fills in c.values.
func (l *locator) locate(c *constant) error {
	switch {
	case c.values.ReaderAt != nil:
	case c.beside != nil:
		return l.external(c)
	case len(c.scalar) > 0:
		c.values = valuesAt{&scalars{c.scalar, c.size()}, l.file, 0}
	case c.apart:
		c.values = valuesAt{&spaced{l.r, c.where}, l.file, 0}
	case c.field == rawData || c.field == floatData || c.field == doubleData || c.field == 0:
		c.values = valuesAt{l.r, l.file, c.where.at}
	default:
		v := &varints{file: l.file, name: c.name, r: l.r, where: c.where, count: c.stored(c.elements()), size: c.size()}
		if err := v.index(); err != nil {
			return err
		}
		c.values = valuesAt{v, l.file, 0}
	}
	return nil
}

// size is how many bytes of a number of a typed field are kept.
func (c *constant) size() int64 {
	switch {
	case c.elem.bits < 8:
		return 1
	case c.elem.dtype == tensor.C64 || c.elem.dtype == tensor.C128:
		return c.elem.bits / 16
	}
	return c.elem.bits / 8
}

// external finds values in another file.
func (l *locator) external(c *constant) error {
	label := "tensor " + quote(c.name) + " external_data"
	fail := func(class error, rule string, args ...any) error {
		return tensor.Errorf(class, l.file, c.at, label, rule, args...)
	}
	name := c.beside["location"]
	f := l.opened[name]
	if f == nil {
		if l.beside == nil {
			return fail(tensor.ErrUnsupported, "the values lie in %s, which cannot be opened from here", quote(name))
		}
		r, size, file, err := l.beside(name, label+" location")
		if err != nil {
			return err
		}
		f = &besideFile{r, size, file}
		l.opened[name] = f
		l.total += size
	}
	var offset int64
	length := c.elem.bytes(c.elements())
	for _, k := range []struct {
		key string
		to  *int64
	}{{"offset", &offset}, {"length", &length}} {
		s, ok := c.beside[k.key]
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return fail(tensor.ErrFormat, "%s %s is no number of bytes", k.key, quote(s))
		}
		*k.to = n
	}
	if want := c.elem.bytes(c.elements()); length != want {
		return fail(tensor.ErrFormat, "length %d, %s of shape %v asks for %d", length, c.elem.name, c.dims, want)
	}
	if offset > f.size || length > f.size-offset {
		return tensor.Errorf(io.ErrUnexpectedEOF, f.label, offset, label, "%d bytes at offset %d, but the file has %d", length, offset, f.size)
	}
	c.values = valuesAt{f.r, f.label, offset}
	return nil
}

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
