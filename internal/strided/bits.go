package strided

import "io"

// Bits gives n numbers of 2 or 4 bits, which lie packed from a place of r on,
// the lowest bits of a byte first, as one byte each. Signed ones keep their
// sign.
func Bits(r io.ReaderAt, at, bits int64, signed bool, n int64) io.ReaderAt {
	return &packedBits{r, at, bits, signed, n}
}

type packedBits struct {
	r      io.ReaderAt
	at     int64
	bits   int64
	signed bool
	n      int64 // of numbers
}

// ReadAt fills p with the numbers from off on.
func (u *packedBits) ReadAt(p []byte, off int64) (int, error) {
	n := max(0, min(int64(len(p)), u.n-off))
	per := 8 / u.bits
	buf := make([]byte, min(n/per+2, 32<<10))
	for done := int64(0); done < n; {
		first := (off + done) / per
		k := min(n-done, per*int64(len(buf)-1))
		part := buf[:(off+done+k-1)/per-first+1]
		if m, err := u.r.ReadAt(part, u.at+first); m < len(part) {
			return int(done), err
		}
		for i := range k {
			at := off + done + i
			p[done+i] = u.number(part[at/per-first], at%per)
		}
		done += k
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// number is the i-th number of a byte.
func (u *packedBits) number(b byte, i int64) byte {
	b = b >> (u.bits * i) & (1<<u.bits - 1)
	if u.signed && b>>(u.bits-1) != 0 {
		b |= 0xff << u.bits
	}
	return b
}
