package gguf

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// decoder reads the fields of a header in the file's byte order.
type decoder struct {
	*saferio.Cursor
	ctx   context.Context
	file  string
	order binary.ByteOrder
}

// fail builds an error at an offset.
func (d *decoder) fail(class error, offset int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, d.file, offset, field, rule, args...)
}

// take returns the next n bytes of a field.
func (d *decoder) take(n uint64, field string) ([]byte, error) {
	at := d.Offset()
	b, err := d.Next(n)
	if err != nil {
		return nil, d.short(err, at, field)
	}
	return b, nil
}

// short gives a failed read its place.
func (d *decoder) short(err error, at int64, field string) error {
	if err == nil {
		return nil
	}
	var known *tensor.FormatError
	if errors.As(err, &known) {
		return err
	}
	class := err
	if errors.Is(err, io.ErrUnexpectedEOF) {
		class = io.ErrUnexpectedEOF
	}
	return d.fail(class, at, field, "%v", err)
}

func (d *decoder) u32(field string) (uint32, error) {
	b, err := d.take(4, field)
	if err != nil {
		return 0, err
	}
	return d.order.Uint32(b), nil
}

func (d *decoder) u64(field string) (uint64, error) {
	b, err := d.take(8, field)
	if err != nil {
		return 0, err
	}
	return d.order.Uint64(b), nil
}

// short16 reads a length that fits 16 bits and that many bytes. A longer one is
// returned cut, so that whoever asked refuses it by its own rule.
func (d *decoder) short16(field string) (string, error) {
	n, err := d.u64(field + " length")
	if err != nil {
		return "", err
	}
	at := d.Offset()
	b, err := d.take(min(n, maxKeyBytes+1), field)
	if err != nil {
		return "", err
	}
	s := string(b)
	if left := n - uint64(len(b)); left > 0 {
		return s, d.short(d.Skip(left), at, field)
	}
	return s, nil
}

// longString stands for a string that stays in the file: its length.
type longString int64

// str reads a length and that many bytes, or passes over them where they are
// too many to be kept.
func (d *decoder) str(field string) (any, error) {
	n, err := d.u64(field + " length")
	if err != nil {
		return "", err
	}
	at := d.Offset()
	switch {
	case n > maxStringBytes && n <= uint64(d.Remaining()):
		return "", d.fail(tensor.ErrLimit, at, field, "a string has at most %d bytes, found %d", maxStringBytes, n)
	case n > heldString:
		return longString(n), d.short(d.Skip(n), at, field)
	}
	b, err := d.take(n, field)
	return string(b), err
}

// busy asks now and then whether to go on.
func (d *decoder) busy(i int64) error {
	if i&0xfff == 0 {
		return d.ctx.Err()
	}
	return nil
}

// scalar decodes a value that is neither string nor array from its bytes.
func (d *decoder) scalar(t Type, b []byte) any {
	switch t {
	case Uint8:
		return uint64(b[0])
	case Int8:
		return int64(int8(b[0]))
	case Uint16:
		return uint64(d.order.Uint16(b))
	case Int16:
		return int64(int16(d.order.Uint16(b)))
	case Uint32:
		return uint64(d.order.Uint32(b))
	case Int32:
		return int64(int32(d.order.Uint32(b)))
	case Uint64:
		return d.order.Uint64(b)
	case Int64:
		return int64(d.order.Uint64(b))
	case Float32:
		return float64(math.Float32frombits(d.order.Uint32(b)))
	case Float64:
		return math.Float64frombits(d.order.Uint64(b))
	}
	return b[0] == 1 // Bool
}

// quoted names a key or tensor in an error.
func quoted(kind, name string) string { return kind + " " + strconv.QuoteToASCII(name) }
