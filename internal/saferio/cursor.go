// Package saferio reads headers of untrusted files: forward only, through a
// window that grows with what has really been read, never with what a length
// field claims.
package saferio

import (
	"fmt"
	"io"
)

// windowBytes is how much is read ahead at a time.
const windowBytes = 64 << 10

// Cursor walks through the first size bytes of an io.ReaderAt.
type Cursor struct {
	r    io.ReaderAt
	size int64
	off  int64  // of the next byte
	at   int64  // offset of buf[0]
	buf  []byte // what has been read ahead
}

// NewCursor starts at offset 0.
func NewCursor(r io.ReaderAt, size int64) *Cursor { return &Cursor{r: r, size: size} }

// Offset is the position of the next byte.
func (c *Cursor) Offset() int64 { return c.off }

// Remaining is the number of bytes up to the end.
func (c *Cursor) Remaining() int64 { return c.size - c.off }

// ShortError says that a field claims more bytes than are left. It is an
// io.ErrUnexpectedEOF.
type ShortError struct {
	Want uint64
	Left int64
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("%d bytes claimed, %d left in the file", e.Want, e.Left)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *ShortError) Unwrap() error { return io.ErrUnexpectedEOF }

// Next returns the next n bytes, valid until the next call. Nothing is
// allocated before n is known to be within the file.
func (c *Cursor) Next(n uint64) ([]byte, error) {
	if n > uint64(c.Remaining()) {
		return nil, &ShortError{n, c.Remaining()}
	}
	end := c.off + int64(n)
	if c.off < c.at || end > c.at+int64(len(c.buf)) {
		if err := c.fill(int64(n)); err != nil {
			return nil, err
		}
	}
	p := c.buf[c.off-c.at : end-c.at]
	c.off = end
	return p, nil
}

// fill reads a window that starts at the next byte and holds at least n.
func (c *Cursor) fill(n int64) error {
	want := min(max(n, windowBytes), c.Remaining())
	if int64(cap(c.buf)) < want {
		c.buf = make([]byte, want)
	}
	c.buf = c.buf[:want]
	got, err := c.r.ReadAt(c.buf, c.off)
	if int64(got) < want {
		c.buf = c.buf[:0]
		if err == nil || err == io.EOF {
			err = &ShortError{uint64(n), int64(got)}
		}
		return err
	}
	c.at = c.off
	return nil
}

// Skip passes over n bytes without reading them.
func (c *Cursor) Skip(n uint64) error {
	if n > uint64(c.Remaining()) {
		return &ShortError{n, c.Remaining()}
	}
	c.off += int64(n)
	return nil
}
