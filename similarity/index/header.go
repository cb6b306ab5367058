package index

import (
	"bytes"
	"fmt"
)

// header is what is committed.
type header struct {
	seq     uint64 // of the commit
	count   int64  // records
	details int64  // bytes of details
}

// A header has two slots in the first 1024 bytes; commit n is written to slot
// n mod 2, so that a torn write leaves the one before it.
const (
	headerBytes = 1024
	slotBytes   = 512
)

func (h header) encode() []byte {
	b := make([]byte, 0, slotBytes)
	b = append(b, magic...)
	b = le.AppendUint64(b, h.seq)
	b = le.AppendUint64(b, uint64(h.count))
	b = le.AppendUint64(b, uint64(h.details))
	b = b[:slotBytes]
	copy(b[slotBytes-checkBytes:], check(b[:slotBytes-checkBytes]))
	return b
}

func (h header) slot() int64 { return int64(h.seq%2) * slotBytes }

// readHeader reads the latest commit. A file that ends within its header was
// never committed to.
func readHeader(path string, f file) (h header, err error) {
	size, err := f.size()
	if err != nil {
		return h, err
	}
	if size < headerBytes {
		return h, nil
	}
	b := make([]byte, headerBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		return h, err
	}
	found := false
	for at := 0; at < headerBytes; at += slotBytes {
		s := b[at : at+slotBytes]
		if string(s[:len(magic)]) != magic || !bytes.Equal(check(s[:slotBytes-checkBytes]), s[slotBytes-checkBytes:]) {
			continue
		}
		x := header{le.Uint64(s[8:]), int64(le.Uint64(s[16:])), int64(le.Uint64(s[24:]))}
		if !found || x.seq > h.seq {
			h, found = x, true
		}
	}
	switch {
	case !found && size == headerBytes:
		return header{}, nil
	case !found:
		return h, fmt.Errorf("%s: %w: neither header is valid", path, ErrCorrupt)
	case h.count < 0 || h.count > (size-headerBytes)/recordBytes:
		return h, fmt.Errorf("%s: %w: %d records are committed, the file has %d bytes", path, ErrCorrupt, h.count, size)
	}
	return h, nil
}
