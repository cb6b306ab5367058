package commitment

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
)

// encoder writes the bodies of files: numbers are unsigned LEB128, texts and
// lists begin with their length.
type encoder struct{ b []byte }

func (e *encoder) raw(b []byte)                { e.b = append(e.b, b...) }
func (e *encoder) digest(d fingerprint.Digest) { e.raw(d[:]) }
func (e *encoder) number(v int64)              { e.b = binary.AppendUvarint(e.b, uint64(v)) }
func (e *encoder) bytes(b []byte)              { e.number(int64(len(b))); e.raw(b) }
func (e *encoder) text(s string)               { e.bytes([]byte(s)) }
func (e *encoder) flag(v bool) {
	if v {
		e.raw([]byte{1})
	} else {
		e.raw([]byte{0})
	}
}

func (e *encoder) digests(ds []fingerprint.Digest) {
	e.number(int64(len(ds)))
	for _, d := range ds {
		e.digest(d)
	}
}

// decoder reads what encoder wrote. It keeps the first error, and allocates
// nothing before it is known to be there.
type decoder struct {
	b   []byte
	at  int
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: offset %d: %s", ErrFile, d.at, fmt.Sprintf(format, args...))
	}
}

// take returns the next n bytes, nil when they are not there.
func (d *decoder) take(n int64) []byte {
	if d.err == nil && n > int64(len(d.b)-d.at) {
		d.fail("%d bytes expected, %d are left", n, len(d.b)-d.at)
	}
	if d.err != nil {
		return nil
	}
	d.at += int(n)
	return d.b[d.at-int(n) : d.at]
}

// number is at most most.
func (d *decoder) number(most int64, what string) int64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.b[d.at:])
	switch {
	case n <= 0:
		d.fail("%s: bad variable-length number", what)
		return 0
	case v > uint64(most):
		d.fail("%s %d exceeds %d", what, v, most)
		return 0
	}
	d.at += n
	return int64(v)
}

func (d *decoder) digest() (v fingerprint.Digest) {
	copy(v[:], d.take(int64(len(v))))
	return v
}

func (d *decoder) flag() bool {
	b := d.take(1)
	if b != nil && b[0] > 1 {
		d.fail("a flag of %d", b[0])
	}
	return b != nil && b[0] == 1
}

func (d *decoder) word() uint64 {
	if b := d.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

// bytes is a run of at most most bytes.
func (d *decoder) bytes(most int64, what string) []byte {
	return bytes.Clone(d.take(d.number(most, "length of "+what)))
}

// maxPath is the longest proof: a tree of 2⁶³ leaves.
const maxPath = 63

func (d *decoder) digests() (out []fingerprint.Digest) {
	for n := d.number(maxPath, "length of a proof"); n > 0 && d.err == nil; n-- {
		out = append(out, d.digest())
	}
	return out
}
