package index

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/weightprint/weightprint/fingerprint"
)

// header is what is committed.
type header struct {
	seq     uint64             // of the commit
	count   int64              // records
	details int64              // bytes of details
	keys    fingerprint.Digest // over the column of keys; zero for none
}

// A header has two slots in the first 1024 bytes; commit n is written to slot
// n mod 2, so that a torn write leaves the one before it.
const (
	headerBytes = 1024
	slotBytes   = 512
)

// nothing is the header of an index that holds nothing yet.
var nothing = header{seq: 1}

func (h header) encode() []byte {
	b := make([]byte, 0, slotBytes)
	b = append(b, magic...)
	b = le.AppendUint64(b, h.seq)
	b = le.AppendUint64(b, uint64(h.count))
	b = le.AppendUint64(b, uint64(h.details))
	b = append(b, h.keys[:]...)
	b = b[:slotBytes]
	copy(b[slotBytes-checkBytes:], check(b[:slotBytes-checkBytes]))
	return b
}

func (h header) slot() int64 { return int64(h.seq%2) * slotBytes }

// readHeader reads the latest commit. What a writer leaves that was killed
// before its first commit has the zero header. Any other file is no index.
//
// Readers hold no lock. A header that does not fit the size of its file is believed
// only if the size stood still while it was read: a commit may have come between.
func readHeader(path string, f file) (header, error) {
	for {
		before, err := f.size()
		if err != nil {
			return header{}, err
		}
		b := make([]byte, min(before, headerBytes))
		if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
			return header{}, err
		}
		size, err := f.size()
		if err != nil {
			return header{}, err
		}
		h, err := judgeHeader(path, b, size)
		if err == nil || size == before {
			return h, err
		}
	}
}

// judgeHeader finds the latest commit in the first bytes of a file of some size.
func judgeHeader(path string, b []byte, size int64) (h header, err error) {
	if size <= headerBytes && begun(b) {
		return h, nil
	}
	if !bytes.Contains(b, []byte(magic)) {
		return h, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	if len(b) < headerBytes {
		return h, fmt.Errorf("%s: %w: %d bytes, too few for its header", path, ErrCorrupt, size)
	}
	for at := 0; at < headerBytes; at += slotBytes {
		if x, ok := readSlot(b[at : at+slotBytes]); ok && x.seq > h.seq {
			h = x
		}
	}
	switch {
	case h.seq == 0:
		return h, fmt.Errorf("%s: %w: neither header is valid", path, ErrCorrupt)
	case h.seq == math.MaxUint64 || h.details < 0:
		return h, fmt.Errorf("%s: %w: commit %d with %d bytes of details", path, ErrCorrupt, h.seq, uint64(h.details))
	case h.count < 0 || h.count > (size-headerBytes)/recordBytes:
		return h, fmt.Errorf("%s: %w: %d records are committed, the file has %d bytes", path, ErrCorrupt, uint64(h.count), size)
	}
	return h, nil
}

func readSlot(s []byte) (header, bool) {
	if string(s[:len(magic)]) != magic || !bytes.Equal(check(s[:slotBytes-checkBytes]), s[slotBytes-checkBytes:]) {
		return header{}, false
	}
	return header{le.Uint64(s[8:]), int64(le.Uint64(s[16:])), int64(le.Uint64(s[24:])), fingerprint.Digest(s[32:64])}, true
}

// begun tells whether bytes are what a writer may leave that was killed while
// it wrote the first header: zeros and parts of it.
func begun(b []byte) bool {
	var whole [headerBytes]byte
	copy(whole[nothing.slot():], nothing.encode())
	if bytes.Equal(b, whole[:]) {
		return false // it was written in full
	}
	for i, x := range b {
		if x != 0 && x != whole[i] {
			return false
		}
	}
	return true
}
