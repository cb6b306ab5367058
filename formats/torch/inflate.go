package torch

import (
	"bufio"
	"compress/flate"
	"hash"
	"hash/crc32"
	"io"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// inflater reads a deflated entry by position. It keeps its place: reading on
// costs what is read, reading further back begins anew. Memory is the window
// of the method whatever the entry's size.
type inflater struct {
	a *archive
	e *entry

	mu   sync.Mutex
	from *bufio.Reader // the compressed bytes, nil before the first read
	to   io.ReadCloser
	sum  hash.Hash32 // over all bytes before at
	at   int64
}

// ReadAt fills p or says why it cannot.
func (f *inflater) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := int(max(0, min(int64(len(p)), f.e.size-off)))
	if f.from == nil || off < f.at {
		f.restart()
	}
	if off > f.at {
		if err := f.pass(off - f.at); err != nil {
			return 0, err
		}
	}
	if err := f.read(p[:n]); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *inflater) restart() {
	f.from = bufio.NewReaderSize(io.NewSectionReader(f.a.r, f.e.data, f.e.disk), 32<<10)
	f.to = flate.NewReader(f.from)
	f.sum, f.at = crc32.NewIEEE(), 0
}

// pass inflates n bytes and drops them.
func (f *inflater) pass(n int64) error {
	buf := make([]byte, min(n, 32<<10))
	for ; n > 0; n -= int64(len(buf)) {
		buf = buf[:min(n, int64(len(buf)))]
		if err := f.read(buf); err != nil {
			return err
		}
	}
	return nil
}

// read inflates the next bytes. At the end there must be nothing left, and
// the checksum must be right.
func (f *inflater) read(p []byte) error {
	n, err := io.ReadFull(f.to, p)
	f.sum.Write(p[:n])
	f.at += int64(n)
	if n < len(p) {
		f.from = nil
		return f.broken(err)
	}
	if f.at < f.e.size {
		return nil
	}
	var more [1]byte
	if n, err = io.ReadFull(f.to, more[:]); n > 0 {
		return f.a.fail(f.e.data, quoted(f.e.name), "inflates to more than the %d bytes of the directory", f.e.size)
	}
	if _, left := f.from.Peek(1); err != io.EOF || left != io.EOF {
		return f.broken(err)
	}
	return f.a.sum(f.e, f.sum.Sum32())
}

// broken describes a stream that ends early, goes on or cannot be inflated.
func (f *inflater) broken(err error) error {
	if _, ok := err.(*tensor.FormatError); ok {
		return err
	}
	if err == io.ErrUnexpectedEOF {
		return tensor.Errorf(io.ErrUnexpectedEOF, f.a.file, f.e.data, quoted(f.e.name), "the compressed data end after %d of %d bytes", f.at, f.e.size)
	}
	if _, corrupt := err.(flate.CorruptInputError); !corrupt && err != nil && err != io.EOF {
		return tensor.Errorf(err, f.a.file, f.e.data, quoted(f.e.name), "reading the compressed data: %v", err)
	}
	return f.a.fail(f.e.data, quoted(f.e.name), "the compressed data are broken after %d of %d bytes (%v)", f.at, f.e.size, err)
}
