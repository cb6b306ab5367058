// Package walk reads little-endian records of a file one after another, and steps over
// values without reading them. Every error names the file, the place and the field.
package walk

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Reader stands at a place of a file.
type Reader struct {
	File     string // for errors
	At, Size int64
	From     io.ReaderAt

	ahead  *bufio.Reader
	window int
}

// New stands at the beginning of a file of size bytes, of which it reads a window of so
// many bytes at once.
func New(file string, from io.ReaderAt, size int64, window int) *Reader {
	r := &Reader{File: file, Size: size, From: from, window: window}
	r.GoTo(0)
	return r
}

// Fail is an error of a class at a place of the file.
func (r *Reader) Fail(class error, at int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, r.File, at, field, rule, args...)
}

// GoTo goes on at another place.
func (r *Reader) GoTo(at int64) {
	r.At = at
	r.ahead = bufio.NewReaderSize(io.NewSectionReader(r.From, at, r.Size-at), r.window)
}

// Take reads n bytes, which are few.
func (r *Reader) Take(n int64, field string) ([]byte, error) {
	if n > r.Size-r.At {
		return nil, r.short(n, field)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(r.ahead, p); err != nil {
		return nil, r.Fail(err, r.At, field, "reading: %v", err)
	}
	r.At += n
	return p, nil
}

// Number reads four bytes.
func (r *Reader) Number(field string) (uint32, error) {
	p, err := r.Take(4, field)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(p), nil
}

// Skip steps over bytes without reading more of them than are at hand.
func (r *Reader) Skip(n int64, field string) error {
	switch {
	case n > r.Size-r.At:
		return r.short(n, field)
	case n <= int64(r.ahead.Buffered()):
		r.ahead.Discard(int(n)) // it is at hand
		r.At += n
	default:
		r.GoTo(r.At + n)
	}
	return nil
}

func (r *Reader) short(n int64, field string) error {
	return r.Fail(io.ErrUnexpectedEOF, r.At, field, "%d bytes, but the file ends after %d", n, r.Size-r.At)
}
