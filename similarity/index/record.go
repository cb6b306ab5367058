package index

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
)

// summarise makes the record of an entry.
func summarise(e Entry) record {
	r := record{name: e.Name, root: rootOf(e)}
	s := e.Fingerprint.Sketches
	if len(s) == 0 {
		return r
	}
	r.length, r.dim = uint32(s[0].Length), uint32(s[0].Dim)
	for k, i := range []int{0, len(s) / 2, len(s) - 1} {
		copy(r.words[k][:], s[i].Words)
	}
	return r
}

// distance is the least number of differing bits between a layer of one
// summary and a layer of the other; entries of another shape are farthest.
func (r *record) distance(o *record) int {
	if r.length != o.length || r.dim != o.dim {
		return math.MaxInt
	}
	best := math.MaxInt
	for i := range r.words {
		for j := range o.words {
			n := 0
			for w := range r.words[i] {
				n += bits.OnesCount64(r.words[i][w] ^ o.words[j][w])
			}
			best = min(best, n)
		}
	}
	return best
}

// Layout of a record: magic 8 · root 32 · offset 8 · size 8 · length 4 · dim 4 ·
// words 384 · name length 2 · name 160 · zeros · digest 16.
func (r *record) encode() []byte {
	b := make([]byte, 0, recordBytes)
	b = append(b, magic...)
	b = append(b, r.root[:]...)
	b = le.AppendUint64(b, uint64(r.offset))
	b = le.AppendUint64(b, uint64(r.size))
	b = le.AppendUint32(b, r.length)
	b = le.AppendUint32(b, r.dim)
	for _, layer := range r.words {
		for _, w := range layer {
			b = le.AppendUint64(b, w)
		}
	}
	b = le.AppendUint16(b, uint16(len(r.name)))
	b = append(b, r.name...)
	b = b[:recordBytes]
	copy(b[recordBytes-checkBytes:], check(b[:recordBytes-checkBytes]))
	return b
}

const checkBytes = 16

func check(b []byte) []byte {
	h := blake3.NewDeriveKey("weightprint v1 index record")
	h.Write(b)
	return h.Sum(nil)[:checkBytes]
}

func decode(b []byte) (r record, err error) {
	if string(b[:len(magic)]) != magic || !bytes.Equal(check(b[:recordBytes-checkBytes]), b[recordBytes-checkBytes:]) {
		return r, ErrCorrupt
	}
	at := len(magic)
	at += copy(r.root[:], b[at:at+len(fingerprint.Digest{})])
	r.offset, r.size = int64(le.Uint64(b[at:])), int64(le.Uint64(b[at+8:]))
	r.length, r.dim = le.Uint32(b[at+16:]), le.Uint32(b[at+20:])
	at += 24
	for k := range r.words {
		for w := range r.words[k] {
			r.words[k][w] = le.Uint64(b[at:])
			at += 8
		}
	}
	n := int(le.Uint16(b[at:]))
	if n > maxNameBytes || r.offset < 0 || r.size < 0 {
		return r, fmt.Errorf("%w: name of %d bytes", ErrCorrupt, n)
	}
	r.name = string(b[at+2 : at+2+n])
	return r, nil
}
