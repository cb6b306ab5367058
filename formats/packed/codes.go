package packed

import (
	"context"
	"encoding/binary"
)

// word is the i-th little-endian 32-bit word of b.
func word(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// unpackBits reads codes of the given bits out of a little-endian stream,
// the first one at bit shift.
func unpackBits(dst []uint8, src []byte, shift, bits int) {
	switch {
	case bits == 8:
		copy(dst, src[shift/8:])
		return
	case bits == 4:
		for i := range dst {
			at := shift/4 + i
			dst[i] = src[at/2] >> (4 * (at % 2)) & 15
		}
		return
	}
	mask := uint16(1)<<bits - 1
	for i := range dst {
		at := shift + i*bits
		v := uint16(src[at/8])
		if at/8+1 < len(src) {
			v |= uint16(src[at/8+1]) << 8
		}
		dst[i] = uint8(v >> (at % 8) & mask)
	}
}

// rowCodes lie row by row: a dense little-endian stream of bits, or perWord
// codes in each 32-bit word with the rest unused, or nibbles with the high
// one first.
type rowCodes struct {
	t         part
	rowBytes  int64
	bits      int
	perWord   int64 // 0 = dense
	highFirst bool
}

// bytes is the run of a row's bytes that columns [c0, c1) lie in.
func (x *rowCodes) bytes(b box) (lo, hi int64) {
	if x.perWord > 0 {
		return b.c0 / x.perWord * 4, ((b.c1-1)/x.perWord + 1) * 4
	}
	bits := int64(x.bits)
	return b.c0 * bits / 8, (b.c1*bits + 7) / 8
}

func (x *rowCodes) load(_ context.Context, s *scratch, b box) error {
	lo, hi := x.bytes(b)
	if b.n > 1 {
		lo, hi = 0, x.rowBytes*b.n
	}
	s.raw = grown(s.raw, hi-lo)
	return x.t.s.ReadRaw(s.raw, b.r*x.rowBytes+lo)
}

func (x *rowCodes) row(dst []uint8, s *scratch, b box, i int64) {
	lo, hi := x.bytes(b)
	src := s.raw[:hi-lo]
	if b.n > 1 {
		src = s.raw[i*x.rowBytes : (i+1)*x.rowBytes]
	}
	switch {
	case x.highFirst:
		first := b.c0 - 2*lo
		for k := range dst {
			at := first + int64(k)
			dst[k] = src[at/2] >> (4 * (1 - at%2)) & 15
		}
	case x.perWord > 0:
		mask := uint32(1)<<x.bits - 1
		first := b.c0 - lo/4*x.perWord
		for k := range dst {
			at := first + int64(k)
			dst[k] = uint8(word(src, int(at/x.perWord)) >> (int64(x.bits) * (at % x.perWord)) & mask)
		}
	default:
		unpackBits(dst, src, int(b.c0*int64(x.bits)-8*lo), x.bits)
	}
}

// columnCodes lie column by column of a table of 32-bit words: code c of row
// r is at bit c·bits of the stream of words in column r (GPTQ).
type columnCodes struct {
	t       part
	columns int64 // of the table
	bits    int64
}

func (x *columnCodes) load(ctx context.Context, s *scratch, b box) error {
	j0, j1 := b.c0*x.bits/32, (b.c1*x.bits+31)/32
	s.raw = grown(s.raw, 4*(j1-j0)*b.n)
	return x.t.columns(ctx, s.raw, x.columns, j0, j1, b.r, b.r+b.n)
}

func (x *columnCodes) row(dst []uint8, s *scratch, b box, i int64) {
	first := b.c0 * x.bits
	st := stream{raw: s.raw, at: int(i), step: int(b.n)}
	st.start(int(first % 32))
	for k := range dst {
		dst[k] = st.next(int(x.bits))
	}
}

// stream reads codes out of every step-th 32-bit word.
type stream struct {
	raw      []byte
	at, step int
	bits     uint64
	have     int
}

// start drops the first bits of the first word.
func (s *stream) start(skip int) {
	s.bits, s.have = uint64(word(s.raw, s.at))>>skip, 32-skip
	s.at += s.step
}

func (s *stream) next(bits int) uint8 {
	if s.have < bits {
		s.bits |= uint64(word(s.raw, s.at)) << s.have
		s.have += 32
		s.at += s.step
	}
	c := uint8(s.bits & (1<<bits - 1))
	s.bits >>= bits
	s.have -= bits
	return c
}

// awqNibble is the nibble of a word that holds each of its eight rows.
var awqNibble = [8]int{0, 4, 1, 5, 2, 6, 3, 7}

// eightCodes lie in words of eight rows, one word a column (AWQ).
type eightCodes struct {
	t     part
	words int64 // in each row of the table
}

func (x *eightCodes) load(ctx context.Context, s *scratch, b box) error {
	w0, w1 := b.r/8, (b.r+b.n-1)/8+1
	s.raw = grown(s.raw, 4*(b.c1-b.c0)*(w1-w0))
	return x.t.columns(ctx, s.raw, x.words, b.c0, b.c1, w0, w1)
}

func (x *eightCodes) row(dst []uint8, s *scratch, b box, i int64) {
	w0, w1 := b.r/8, (b.r+b.n-1)/8+1
	at, shift := int((b.r+i)/8-w0), 4*awqNibble[(b.r+i)%8]
	for k := range dst {
		dst[k] = uint8(word(s.raw, at) >> shift & 15)
		at += int(w1 - w0)
	}
}
