package tensorbundle

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

const (
	footerBytes  = 48
	trailerBytes = 5 // type and checksum of a block
	tableMagic   = 0xdb4775248b80fb57
	maxBlock     = 16 << 20
	maxKey       = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// table is an index file.
type table struct {
	file string
	r    io.ReaderAt
	size int64
}

func (t *table) fail(class error, at int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, t.file, at, field, rule, args...)
}

// handle says where a block lies.
type handle struct{ at, size uint64 }

// handleOf reads a handle and what follows it.
func handleOf(p []byte) (h handle, rest []byte, ok bool) {
	var n, m int
	if h.at, n = binary.Uvarint(p); n <= 0 {
		return h, nil, false
	}
	if h.size, m = binary.Uvarint(p[n:]); m <= 0 {
		return h, nil, false
	}
	return h, p[n+m:], true
}

// index finds the block that lists the others.
func (t *table) index() (handle, error) {
	if t.size < footerBytes {
		return handle{}, t.fail(tensor.ErrNotModel, 0, "footer", "%d bytes are no table, whose footer has %d", t.size, footerBytes)
	}
	at := t.size - footerBytes
	p := make([]byte, footerBytes)
	if _, err := t.r.ReadAt(p, at); err != nil && err != io.EOF {
		return handle{}, t.fail(err, at, "footer", "reading: %v", err)
	}
	if binary.LittleEndian.Uint64(p[footerBytes-8:]) != tableMagic {
		return handle{}, t.fail(tensor.ErrNotModel, at+footerBytes-8, "magic", "the file does not end as a table does")
	}
	_, rest, ok := handleOf(p[:footerBytes-8])
	if ok {
		var h handle
		if h, _, ok = handleOf(rest); ok {
			return h, nil
		}
	}
	return handle{}, t.fail(tensor.ErrFormat, at, "footer", "the places of the blocks cannot be read")
}

// block reads a block and holds it against its checksum.
func (t *table) block(h handle) ([]byte, error) {
	end := uint64(t.size - footerBytes)
	switch {
	case h.size > maxBlock:
		return nil, t.fail(tensor.ErrLimit, int64(min(h.at, end)), "block", "%d bytes, at most %d", h.size, maxBlock)
	case h.at > end || h.size+trailerBytes > end-h.at:
		return nil, t.fail(io.ErrUnexpectedEOF, int64(min(h.at, end)), "block", "%d bytes, which do not lie before the footer", h.size)
	}
	p := make([]byte, h.size+trailerBytes)
	if _, err := t.r.ReadAt(p, int64(h.at)); err != nil {
		return nil, t.fail(err, int64(h.at), "block", "reading: %v", err)
	}
	data, kind := p[:h.size], p[h.size]
	switch {
	case kind == 1:
		return nil, t.fail(tensor.ErrUnsupported, int64(h.at), "block", "it is compressed with Snappy, which TensorFlow does not write; saving the checkpoint again helps")
	case kind != 0:
		return nil, t.fail(tensor.ErrFormat, int64(h.at), "block", "the type %d is unknown", kind)
	case masked(crc32.Checksum(p[:h.size+1], castagnoli)) != binary.LittleEndian.Uint32(p[h.size+1:]):
		return nil, t.fail(tensor.ErrFormat, int64(h.at), "block", "the checksum is wrong")
	}
	return data, nil
}

// masked is how LevelDB stores a checksum.
func masked(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }

// entries calls f for each pair of a block. The slices are valid until the next one.
func (t *table) entries(data []byte, at int64, f func(key, value []byte) error) error {
	bad := func() error { return t.fail(tensor.ErrFormat, at, "block", "an entry cannot be read") }
	if len(data) < 4 {
		return bad()
	}
	restarts := uint64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	if 4*(restarts+1) > uint64(len(data)) {
		return bad()
	}
	rest := data[:uint64(len(data))-4*(restarts+1)]
	var key []byte
	for len(rest) > 0 {
		var n [3]uint64 // bytes shared with the key before, bytes of its own, bytes of the value
		for i := range n {
			v, k := binary.Uvarint(rest)
			if k <= 0 {
				return bad()
			}
			n[i], rest = v, rest[k:]
		}
		if n[0] > uint64(len(key)) || n[1] > uint64(len(rest)) || n[2] > uint64(len(rest))-n[1] || n[0]+n[1] > maxKey {
			return bad()
		}
		key = append(key[:n[0]], rest[:n[1]]...)
		value := rest[n[1] : n[1]+n[2]]
		rest = rest[n[1]+n[2]:]
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// all calls f for each pair of the table, in ascending order of keys.
func (t *table) all(f func(key, value []byte) error) error {
	h, err := t.index()
	if err != nil {
		return err
	}
	top, err := t.block(h)
	if err != nil {
		return err
	}
	last, first, end := "", true, uint64(0)
	return t.entries(top, int64(h.at), func(_, value []byte) error {
		h, _, ok := handleOf(value)
		if !ok || h.at < end {
			return t.fail(tensor.ErrFormat, int64(h.at), "index block", "the places of the blocks cannot be read, or do not ascend")
		}
		data, err := t.block(h)
		if err != nil {
			return err
		}
		end = h.at + h.size
		return t.entries(data, int64(h.at), func(key, value []byte) error {
			if !first && string(key) <= last {
				return t.fail(tensor.ErrFormat, int64(h.at), "key", "the names do not ascend")
			}
			first, last = false, string(key)
			return f(key, value)
		})
	})
}
