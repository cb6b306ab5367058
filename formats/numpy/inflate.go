package numpy

import (
	"compress/flate"
	"io"
	"sync"
)

// inflater reads a compressed entry at any place: forwards from where it
// stands, and from the beginning to go back.
type inflater struct {
	r        io.ReaderAt
	at, size int64 // where the compressed bytes lie
	most     int64 // bytes they inflate to

	mu  sync.Mutex
	z   io.ReadCloser
	pos int64
}

func (f *inflater) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.z == nil || off < f.pos {
		f.z, f.pos = flate.NewReader(io.NewSectionReader(f.r, f.at, f.size)), 0
	}
	n, err := io.CopyN(io.Discard, f.z, off-f.pos)
	f.pos += n
	if err != nil {
		f.z = nil
		return 0, io.ErrUnexpectedEOF
	}
	k, err := io.ReadFull(f.z, p[:max(0, min(int64(len(p)), f.most-off))])
	f.pos += int64(k)
	if err != nil {
		f.z = nil
		return k, io.ErrUnexpectedEOF
	}
	if k < len(p) {
		return k, io.EOF
	}
	return k, nil
}
