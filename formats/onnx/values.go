package onnx

import (
	"io"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
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
