package index

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
)

// The column of keys is a third file, FILE.keys. It holds nothing that the records
// do not: where it is missing, damaged or of another index, keys are made from the
// records, which is slower and gives the same answers. So it needs no care of its
// own when a writer is killed.
//
// It consists of blocks, one for each whole block of 256 records: a head of 256
// bytes (magic 8 · digest 32 · u32 quarantined · u32 removals · u32 bad) and 256
// keys. The digest is over the block's number, the counts and the keys. The index's
// header holds the digest over all heads' digests.
const (
	keysMagic   = "WPKEYS01"
	blockSize   = 256 // records
	headBytes   = 256
	columnBlock = headBytes + blockSize*keyBytes
)

func keysAt(path string) string { return path + ".keys" }

// counts say what a block holds beside ordinary entries.
type counts struct{ quarantined, removals, bad uint32 }

// head is what stands before the keys of a block.
type head struct {
	digest fingerprint.Digest
	counts
}

func (h *head) encode() []byte {
	b := make([]byte, 0, headBytes)
	b = append(b, keysMagic...)
	b = append(b, h.digest[:]...)
	for _, n := range []uint32{h.quarantined, h.removals, h.bad} {
		b = le.AppendUint32(b, n)
	}
	return b[:headBytes]
}

func decodeHead(b []byte) (h head, ok bool) {
	copy(h.digest[:], b[8:])
	h.counts = counts{le.Uint32(b[40:]), le.Uint32(b[44:]), le.Uint32(b[48:])}
	return h, string(b[:8]) == keysMagic
}

// digestOf is that of a block.
func digestOf(number int64, c counts, keys []byte) (d fingerprint.Digest) {
	h := blake3.NewDeriveKey("weightprint v1 index keys")
	var b [20]byte
	le.PutUint64(b[:], uint64(number))
	le.PutUint32(b[8:], c.quarantined)
	le.PutUint32(b[12:], c.removals)
	le.PutUint32(b[16:], c.bad)
	h.Write(b[:])
	h.Write(keys)
	h.Sum(d[:0])
	return d
}

// rootOf is the digest that a header holds; zero for no blocks.
func rootOf(heads []head) (d fingerprint.Digest) {
	if len(heads) == 0 {
		return d
	}
	h := blake3.NewDeriveKey("weightprint v1 index column")
	for i := range heads {
		h.Write(heads[i].digest[:])
	}
	h.Sum(d[:0])
	return d
}

// column is an open column of keys whose heads agree with the header.
type column struct {
	f     file
	heads []head
	state []atomic.Uint32 // of each block: 0 not looked at, else sound or damaged
}

const (
	sound   = 1
	damaged = 2
)

// openColumn opens the column of an index. It is nil where there is none that can
// be used.
func openColumn(fs files, path string, h header) *column {
	blocks := h.count / blockSize
	if blocks == 0 || h.keys == (fingerprint.Digest{}) {
		return nil
	}
	f, err := fs.open(keysAt(path), os.O_RDONLY)
	if err != nil {
		return nil
	}
	heads := readHeads(f, blocks)
	if heads == nil || rootOf(heads) != h.keys {
		_ = f.Close()
		return nil
	}
	return &column{f, heads, make([]atomic.Uint32, blocks)}
}

// readHeads reads the heads of blocks; nil if one is none.
func readHeads(f io.ReaderAt, blocks int64) []head {
	out := make([]head, blocks)
	var failed atomic.Bool
	const each = 64
	dense.Parallel(int((blocks+each-1)/each), func(part int) {
		b := make([]byte, headBytes)
		for k := int64(part) * each; k < min(blocks, int64(part+1)*each); k++ {
			_, err := f.ReadAt(b, k*columnBlock)
			h, ok := decodeHead(b)
			if err != nil || !ok {
				failed.Store(true)
				return
			}
			out[k] = h
		}
	})
	if failed.Load() {
		return nil
	}
	return out
}

// keys reads those of a block, and verifies them at the first touch. False means
// that they are damaged.
func (c *column) keys(k int64, buf []byte) ([]byte, bool) {
	if c.state[k].Load() == damaged {
		return nil, false
	}
	buf = buf[:blockSize*keyBytes]
	_, err := c.f.ReadAt(buf, k*columnBlock+headBytes)
	if err == nil && c.state[k].Load() == 0 {
		if h := &c.heads[k]; digestOf(k, h.counts, buf) != h.digest {
			err = ErrCorrupt
		} else {
			c.state[k].Store(sound)
		}
	}
	if err != nil {
		c.state[k].Store(damaged)
		return nil, false
	}
	return buf, true
}

// block gives the keys of a block of records; valid until space is used again, or as
// long as the index is open where keys are kept.
func (x *Index) block(k int64, space *keySpace) (*block, error) {
	if b := x.kept.block(k); b != nil {
		return b, nil
	}
	keys, err := x.keysOf(k, space.rows[:])
	if err != nil {
		return nil, err
	}
	b := space.take(keys)
	x.kept.put(k, b)
	return b, nil
}

// keysOf gives the keys of a block of records, from the column or made from the
// records; the last block may be shorter.
func (x *Index) keysOf(k int64, buf []byte) ([]byte, error) {
	if x.column != nil && k < int64(len(x.column.heads)) {
		if keys, ok := x.column.keys(k, buf); ok {
			return keys, nil
		}
		if err := x.verify(); err != nil { // records that are bad too are to be known
			return nil, err
		}
	}
	keys := buf[:0]
	err := x.each(k*blockSize, min(x.count, (k+1)*blockSize), func(_ int64, r *record, _ error) error {
		keys = encodeKey(keys, r)
		return nil
	})
	return keys, err
}

// extendColumn writes the blocks that a commit fills, once its records are
// written, and puts the digest over all of them into its header. A column that is
// missing or cannot be used is made anew. What goes wrong costs the column, not
// the commit.
func (w *Writer) extendColumn(next *header) {
	blocks, had := next.count/blockSize, w.seen.count/blockSize
	next.keys = w.seen.keys
	if blocks == 0 || blocks == had && next.keys != (fingerprint.Digest{}) {
		return
	}
	next.keys = fingerprint.Digest{}
	f, err := w.openKeys()
	if err != nil {
		return
	}
	heads := w.knownHeads(f, had)
	for k := int64(len(heads)); k < blocks && err == nil; k++ {
		var h head
		h, err = w.writeBlock(f, k, *next)
		heads = append(heads, h)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		next.keys, w.heads = rootOf(heads), heads
	}
}

// openKeys opens or makes the file of keys. One that somebody else wrote is left
// alone.
func (w *Writer) openKeys() (file, error) {
	f, err := w.files.open(keysAt(w.path), os.O_RDWR)
	if errors.Is(err, os.ErrNotExist) {
		return w.files.open(keysAt(w.path), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	}
	if err != nil {
		return nil, err
	}
	b := make([]byte, len(keysMagic))
	if n, err := f.ReadAt(b, 0); n > 0 && !bytes.Equal(b[:n], []byte(keysMagic)[:n]) && !bytes.Equal(b[:n], make([]byte, n)) {
		return nil, errors.Join(ErrForeign, err, f.Close())
	}
	return f, nil
}

// knownHeads are those of the blocks that are committed; none if they cannot be
// used.
func (w *Writer) knownHeads(f file, blocks int64) []head {
	if int64(len(w.heads)) == blocks && rootOf(w.heads) == w.seen.keys {
		return w.heads
	}
	if heads := readHeads(f, blocks); heads != nil && rootOf(heads) == w.seen.keys {
		return heads
	}
	return nil
}

// writeBlock makes the keys of a block of records that are written.
func (w *Writer) writeBlock(f file, k int64, next header) (h head, err error) {
	x := &Index{path: w.path, f: w.f, header: next}
	b := make([]byte, headBytes, columnBlock)
	err = x.each(k*blockSize, (k+1)*blockSize, func(_ int64, r *record, _ error) error {
		b = encodeKey(b, r)
		switch flags := le.Uint16(b[len(b)-keyBytes+atFlags:]); {
		case flags&keyBad != 0:
			h.bad++
		case flags&keyRemoval != 0:
			h.removals++
		case flags&flagQuarantined != 0:
			h.quarantined++
		}
		return nil
	})
	if err != nil {
		return h, err
	}
	h.digest = digestOf(k, h.counts, b[headBytes:])
	copy(b, h.encode())
	_, err = f.WriteAt(b, k*columnBlock)
	return h, err
}
