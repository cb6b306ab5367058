package onnx

import (
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Limits on what a file describes. The largest published graphs have some
// 100,000 nodes.
const (
	maxDepth   = 32      // graphs within graphs
	maxObjects = 4 << 20 // nodes, inputs, attributes and tensors together
	maxText    = 64 << 10
)

// The wire types of protocol buffers.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// decoder walks through the messages of a file, forward only.
type decoder struct {
	*saferio.Cursor
	file  string
	end   int64 // of the message that is being read
	left  int   // objects that may still be described
	depth int   // of graphs
}

// field is one field of a message: a number for varints, a span of the file
// for the others.
type field struct {
	number int
	wire   int
	at     int64 // where the tag is
	value  uint64
	lo, hi int64 // the bytes; the cursor stands at lo
}

func (d *decoder) fail(class error, at int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, d.file, at, field, rule, args...)
}

// take returns the next n bytes.
func (d *decoder) take(n uint64, what string) ([]byte, error) {
	at := d.Offset()
	b, err := d.Next(n)
	if err == nil {
		return b, nil
	}
	class := err
	if errors.Is(err, io.ErrUnexpectedEOF) {
		class = io.ErrUnexpectedEOF
	}
	return nil, d.fail(class, at, what, "%v", err)
}

// varint reads a number of at most 64 bits.
func (d *decoder) varint(what string) (uint64, error) {
	at := d.Offset()
	n := uint64(0)
	for shift := 0; ; shift += 7 {
		if d.Offset() >= d.end {
			return 0, d.fail(io.ErrUnexpectedEOF, at, what, "the number runs past the end of its message")
		}
		b, err := d.take(1, what)
		if err != nil {
			return 0, err
		}
		if shift == 63 && b[0] > 1 {
			return 0, d.fail(tensor.ErrFormat, at, what, "a number of more than 64 bits")
		}
		n |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return n, nil
		}
	}
}

// next reads the tag of the next field and, of varints, the value.
func (d *decoder) next(what string) (f field, err error) {
	f.at = d.Offset()
	tag, err := d.varint(what)
	if err != nil {
		return f, err
	}
	if f.number, f.wire = int(tag>>3), int(tag&7); tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return f, d.fail(tensor.ErrFormat, f.at, what, "field number %d", tag>>3)
	}
	n := uint64(0)
	switch f.wire {
	case wireVarint:
		f.value, err = d.varint(what)
		return f, err
	case wireFixed8:
		n = 8
	case wireFixed4:
		n = 4
	case wireBytes:
		if n, err = d.varint(what); err != nil {
			return f, err
		}
	default:
		return f, d.fail(tensor.ErrFormat, f.at, what, "field %d has wire type %d", f.number, f.wire)
	}
	f.lo = d.Offset()
	if n > uint64(d.end-f.lo) {
		return f, d.fail(io.ErrUnexpectedEOF, f.at, what, "field %d claims %d bytes, its message has %d left", f.number, n, d.end-f.lo)
	}
	f.hi = f.lo + int64(n)
	return f, nil
}

// message reads a message that ends at end, field by field. What f leaves
// unread of a field is passed over.
func (d *decoder) message(what string, end int64, f func(field) error) error {
	outer := d.end
	d.end = end
	for d.Offset() < end {
		x, err := d.next(what)
		if err != nil {
			return err
		}
		if err := f(x); err != nil {
			return err
		}
		if x.wire != wireVarint {
			if err := d.Skip(uint64(x.hi - d.Offset())); err != nil {
				return d.fail(io.ErrUnexpectedEOF, x.at, what, "%v", err)
			}
		}
	}
	d.end = outer
	return nil
}

// within requires that a field is a message or bytes.
func (d *decoder) bytes(x field, what string) error {
	if x.wire != wireBytes {
		return d.fail(tensor.ErrFormat, x.at, what, "wire type %d, expected %d", x.wire, wireBytes)
	}
	return nil
}

// text reads a string. Longer ones than any name are cut off by the caller's
// choice of most.
func (d *decoder) text(x field, what string) (string, error) {
	if err := d.bytes(x, what); err != nil {
		return "", err
	}
	if x.hi-x.lo > maxText {
		return "", d.fail(tensor.ErrLimit, x.at, what, "%d bytes, at most %d", x.hi-x.lo, maxText)
	}
	b, err := d.take(uint64(x.hi-x.lo), what)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", d.fail(tensor.ErrFormat, x.at, what, "the text is not UTF-8")
	}
	return string(b), nil
}

// number reads a varint field that holds a signed number.
func (d *decoder) number(x field, what string) (int64, error) {
	if x.wire != wireVarint {
		return 0, d.fail(tensor.ErrFormat, x.at, what, "wire type %d, expected %d", x.wire, wireVarint)
	}
	return int64(x.value), nil
}

// numbers adds the values of a repeated integer field, packed or not.
func (d *decoder) numbers(x field, what string, to []int64, most int) ([]int64, error) {
	if x.wire == wireVarint {
		if len(to) >= most {
			return nil, d.fail(tensor.ErrLimit, x.at, what, "more than %d numbers", most)
		}
		return append(to, int64(x.value)), nil
	}
	if err := d.bytes(x, what); err != nil {
		return nil, err
	}
	outer := d.end
	d.end = x.hi
	for d.Offset() < x.hi {
		n, err := d.varint(what)
		if err != nil {
			return nil, err
		}
		if len(to) >= most {
			return nil, d.fail(tensor.ErrLimit, x.at, what, "more than %d numbers", most)
		}
		to = append(to, int64(n))
	}
	d.end = outer
	return to, nil
}

// spend counts what is kept of a file in memory.
func (d *decoder) spend(n int) error {
	if d.left -= n; d.left < 0 {
		return d.fail(tensor.ErrLimit, d.Offset(), "graph", "more than %d nodes, inputs, attributes and tensors", maxObjects)
	}
	return nil
}

// small tells whether a varint fits an int of 32 bits.
func small(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }
