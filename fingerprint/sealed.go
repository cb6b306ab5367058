package fingerprint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSealed is the class of errors of reading a commitment, an opening, a
// challenge or a response.
var ErrSealed = errors.New("not a valid file of the commitment protocol")

// MaxSealedBytes is the largest file of the commitment protocol that is read.
const MaxSealedBytes = 64 << 20

// seal is one kind of file of the commitment protocol:
//
//	magic (8 bytes) · version u32 · body · digest (32 bytes) over all before it
type seal struct {
	magic   string
	purpose purpose
}

const sealVersion = 1

var (
	sealCommitment = seal{"WPCOMMIT", "weightprint v1 commitment file"}
	sealOpening    = seal{"WPOPEN\r\n", "weightprint v1 opening file"}
	sealChallenge  = seal{"WPCHAL\r\n", "weightprint v1 challenge file"}
	sealResponse   = seal{"WPRESP\r\n", "weightprint v1 response file"}
)

// encode closes a body.
func (s seal) encode(body func(*encoder)) []byte {
	e := &encoder{}
	e.b = append(e.b, s.magic...)
	e.u32(sealVersion)
	body(e)
	d := s.digest(e.b)
	return append(e.b, d[:]...)
}

func (s seal) digest(b []byte) Digest {
	h := newHash(s.purpose)
	h.Write(b)
	return sum(h)
}

// decode checks the frame and hands the body to read. What was read must
// encode to the same bytes again, so that every content has one file only.
func (s seal) decode(b []byte, read func(*decoder), again func() []byte) error {
	at := len(s.magic) + 4
	end := len(b) - len(Digest{})
	switch {
	case len(b) > MaxSealedBytes:
		return fmt.Errorf("%w: larger than %d bytes", ErrSealed, MaxSealedBytes)
	case end < at || string(b[:len(s.magic)]) != s.magic:
		return fmt.Errorf("%w: offset 0: magic %q expected", ErrSealed, s.magic)
	}
	if v := order.Uint32(b[len(s.magic):]); v != sealVersion {
		return fmt.Errorf("%w: %w: version %d, known %d", ErrSealed, ErrVersion, v, sealVersion)
	}
	if d := s.digest(b[:end]); !bytes.Equal(d[:], b[end:]) {
		return fmt.Errorf("%w: offset %d: the digest over the file does not agree", ErrSealed, end)
	}
	d := &decoder{b: b[:end], at: at, class: ErrSealed}
	read(d)
	if d.err == nil && d.at != len(d.b) {
		d.fail("%d bytes are left over", len(d.b)-d.at)
	}
	if d.err == nil && !bytes.Equal(again(), b) {
		d.fail("the encoding is not canonical")
	}
	return d.err
}

// is tells whether b begins like a file of this kind.
func (s seal) is(b []byte) bool { return bytes.HasPrefix(b, []byte(s.magic)) }

func (e *encoder) digest(d Digest)  { e.b = append(e.b, d[:]...) }
func (e *encoder) uvarint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) flag(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}
func (e *encoder) digests(ds []Digest) {
	e.uvarint(uint64(len(ds)))
	for _, d := range ds {
		e.digest(d)
	}
}

func (d *decoder) digest() (v Digest) {
	copy(v[:], d.take(len(v)))
	return v
}

func (d *decoder) flag() bool {
	v := d.take(1)[0]
	if v > 1 {
		d.fail("a flag of %d", v)
	}
	return v == 1
}

// number is a variable-length number of at most most.
func (d *decoder) number(most int64, what string) int64 {
	if d.err != nil {
		return 0
	}
	v := d.uvarint()
	if v > uint64(most) {
		d.fail("%s %d exceeds %d", what, v, most)
		return 0
	}
	return int64(v)
}

// maxPath is the longest proof: a tree of 2⁶³ leaves.
const maxPath = 63

func (d *decoder) digests() (out []Digest) {
	for n := d.number(maxPath, "length of a proof"); n > 0 && d.err == nil; n-- {
		out = append(out, d.digest())
	}
	return out
}

// blob is a run of bytes of stated length, allocated only once it is known to
// be there.
func (d *decoder) blob() []byte {
	n := d.number(int64(len(d.b)), "length")
	if d.err != nil {
		return nil
	}
	return bytes.Clone(d.take(int(n)))
}
