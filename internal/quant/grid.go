package quant

import (
	_ "embed"
	"math"
)

// The i-quants take four or eight values at a time from a grid of points
// chosen by ggml's authors. The grids are data; NOTICE names their licence.
//
//go:embed grids.bin
var packedGrids []byte

var (
	gridIQ2XXS = unpack(0, 256, 8, 2, []float32{8, 25, 43})
	gridIQ2XS  = unpack(256, 512, 8, 2, []float32{8, 25, 43})
	gridIQ2S   = unpack(768, 1024, 8, 2, []float32{8, 25, 43})
	gridIQ1    = unpack(1792, 2048, 8, 2, []float32{-1, 0, 1})
	gridIQ3XXS = unpack(3840, 256, 4, 3, []float32{4, 12, 20, 28, 36, 44, 52, 62})
	gridIQ3S   = unpack(4096, 512, 4, 3, []float32{1, 3, 5, 7, 9, 11, 13, 15})
)

// unpack reads n points from number first on, each a 16-bit word that holds
// per values as indices of the given bits.
func unpack(first, n, per, bits int, values []float32) []float32 {
	out := make([]float32, 0, n*per)
	for i := range n {
		w := u16(packedGrids[2*(first+i):])
		for range per {
			out = append(out, values[w&(1<<bits-1)])
			w >>= bits
		}
	}
	return out
}

// signs completes seven sign bits by one that makes their number even.
var signs = func() (t [128]byte) {
	for i := range t {
		parity := byte(0)
		for b := i; b > 0; b >>= 1 {
			parity ^= byte(b & 1)
		}
		t[i] = byte(i) | parity<<7
	}
	return t
}()

var (
	FieldsIQ2XXS = append([]Field{{0, 2}}, fields(2, 2, 32)...)
	FieldsIQ2XS  = append([]Field{{0, 2}}, fields(2, 2, 32)...)
	FieldsIQ2S   = []Field{{0, 2}}
	FieldsIQ3XXS = append([]Field{{0, 2}}, fields(66, 4, 8)...)
	FieldsIQ3S   = []Field{{0, 2}}
	FieldsIQ1S   = append([]Field{{0, 2}}, fields(34, 2, 8)...)
	FieldsIQ1M   = fields(48, 2, 4)
)

func fromBits(b uint32) float32 { return math.Float32frombits(b) }

// Points as codes: a byte a value, eight values a word and four values half of one.
var (
	codesIQ2XXS = wordsOf(gridIQ2XXS, 8, 1, 0)
	codesIQ2XS  = wordsOf(gridIQ2XS, 8, 1, 0)
	codesIQ2S   = wordsOf(gridIQ2S, 8, 1, 0)
	codesIQ1    = wordsOf(gridIQ1, 8, 8, 8) // in eighths, none below 0
	codesIQ3XXS = wordsOf(gridIQ3XXS, 4, 1, 0)
	codesIQ3S   = wordsOf(gridIQ3S, 4, 1, 0)
)

func wordsOf(grid []float32, per int, times, plus float32) []uint64 {
	out := make([]uint64, len(grid)/per)
	for i, v := range grid {
		out[i/per] |= uint64(float32(v*times)+plus) << (8 * (i % per))
	}
	return out
}

// turned gives eight positive codes the signs of a byte.
func turned(w uint64, sign byte) uint64 {
	s := spread[sign]
	return w ^ s*255 + s
}

// IQ2XXS decodes {f16 d; u16 qs[32]}: per 32 values four grid indices, four
// times seven signs, and a scale.
func IQ2XXS(dst []float32, src []byte) {
	var u unpacked
	points := (*[256]uint64)(codesIQ2XXS)
	for ; len(dst) >= 256; dst, src = dst[256:], src[66:] {
		b := src[:66]
		d := half(b)
		for ib := range 8 {
			q, c := b[2+8*ib:][:8], u.of[32*ib:][:32]
			aux := u32(q[4:])
			u.scale[ib] = d * (0.5 + float32(aux>>28)) * 0.25
			put64(c, turned(points[q[0]], signs[aux&127]))
			put64(c[8:], turned(points[q[1]], signs[aux>>7&127]))
			put64(c[16:], turned(points[q[2]], signs[aux>>14&127]))
			put64(c[24:], turned(points[q[3]], signs[aux>>21&127]))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 32, 32, 0)
	}
}

// IQ2XS decodes {f16 d; u16 qs[32]; u8 scales[8]}: words of a 9-bit grid
// index and seven signs.
func IQ2XS(dst []float32, src []byte) {
	var u unpacked
	points := (*[512]uint64)(codesIQ2XS)
	for ; len(dst) >= 256; dst, src = dst[256:], src[74:] {
		b := src[:74]
		u.quarters(half(b), b[66:])
		for k := range 32 {
			q := u16(b[2+2*k:])
			put64(u.of[8*k:], turned(points[q&511], signs[q>>9]))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 16, 16, 0)
	}
}

// quarters sets the scales of sixteen runs from nibbles.
func (u *unpacked) quarters(d float32, nibbles []byte) {
	for i, sc := range nibbles[:8] {
		u.scale[2*i] = d * (0.5 + float32(sc&15)) * 0.25
		u.scale[2*i+1] = d * (0.5 + float32(sc>>4)) * 0.25
	}
}

// IQ2S decodes {f16 d; u8 qs[32]; u8 signs[32]; u8 qh[8]; u8 scales[8]}.
func IQ2S(dst []float32, src []byte) {
	var u unpacked
	points := (*[1024]uint64)(codesIQ2S)
	for ; len(dst) >= 256; dst, src = dst[256:], src[82:] {
		b := src[:82]
		u.quarters(half(b), b[74:])
		for ib, h := range b[66:74] {
			q, sign, c, qh := b[2+4*ib:][:4], b[34+4*ib:][:4], u.of[32*ib:][:32], int(h)
			put64(c, turned(points[int(q[0])|qh<<8&0x300], sign[0]))
			put64(c[8:], turned(points[int(q[1])|qh<<6&0x300], sign[1]))
			put64(c[16:], turned(points[int(q[2])|qh<<4&0x300], sign[2]))
			put64(c[24:], turned(points[int(q[3])|qh<<2&0x300], sign[3]))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 16, 16, 0)
	}
}

// IQ3XXS decodes {f16 d; u8 qs[64]; u8 scales_and_signs[32]}: points of four.
func IQ3XXS(dst []float32, src []byte) {
	var u unpacked
	points := (*[256]uint64)(codesIQ3XXS)
	for ; len(dst) >= 256; dst, src = dst[256:], src[98:] {
		b := src[:98]
		d := half(b)
		for ib := range 8 {
			aux := u32(b[66+4*ib:])
			u.scale[ib] = d * (0.5 + float32(aux>>28)) * 0.5
			q, c := b[2+8*ib:][:8], u.of[32*ib:][:32]
			put64(c, turned(points[q[0]]|points[q[1]]<<32, signs[aux&127]))
			put64(c[8:], turned(points[q[2]]|points[q[3]]<<32, signs[aux>>7&127]))
			put64(c[16:], turned(points[q[4]]|points[q[5]]<<32, signs[aux>>14&127]))
			put64(c[24:], turned(points[q[6]]|points[q[7]]<<32, signs[aux>>21&127]))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 32, 32, 0)
	}
}

// IQ3S decodes {f16 d; u8 qs[64]; u8 qh[8]; u8 signs[32]; u8 scales[4]}.
func IQ3S(dst []float32, src []byte) {
	var u unpacked
	points := (*[512]uint64)(codesIQ3S)
	for ; len(dst) >= 256; dst, src = dst[256:], src[110:] {
		b := src[:110]
		d := half(b)
		for ib, h := range b[66:74] {
			u.scale[ib] = d * float32(1+2*int(b[106+ib/2]>>(4*(ib%2))&15))
			q, sign, c, qh := b[2+8*ib:][:8], b[74+4*ib:][:4], u.of[32*ib:][:32], int(h)
			put64(c, turned(points[int(q[0])|qh<<8&256]|points[int(q[1])|qh<<7&256]<<32, sign[0]))
			put64(c[8:], turned(points[int(q[2])|qh<<6&256]|points[int(q[3])|qh<<5&256]<<32, sign[1]))
			put64(c[16:], turned(points[int(q[4])|qh<<4&256]|points[int(q[5])|qh<<3&256]<<32, sign[2]))
			put64(c[24:], turned(points[int(q[6])|qh<<2&256]|points[int(q[7])|qh<<1&256]<<32, sign[3]))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 32, 32, 0)
	}
}

// IQ1S decodes {f16 d; u8 qs[32]; u16 qh[8]}: per 32 values three index bits
// for each point, a scale and the sign of a shift of ⅛. Codes are eighths, so that
// the shift is whole; an eighth of the scale is exact.
func IQ1S(dst []float32, src []byte) {
	var u unpacked
	points := (*[2048]uint64)(codesIQ1)
	for ; len(dst) >= 256; dst, src = dst[256:], src[50:] {
		b := src[:50]
		d := half(b)
		for ib := range 8 {
			h := int(u16(b[34+2*ib:]))
			u.scale[ib] = d * float32(2*(h>>12&7)+1) * 0.125
			shift := uint64(^h>>15&1) * (2 * ones) // the bias is 9
			q, c := b[2+4*ib:][:4], u.of[32*ib:][:32]
			put64(c, points[int(q[0])|h&7<<8]+shift)
			put64(c[8:], points[int(q[1])|h>>3&7<<8]+shift)
			put64(c[16:], points[int(q[2])|h>>6&7<<8]+shift)
			put64(c[24:], points[int(q[3])|h>>9&7<<8]+shift)
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 32, 32, 9)
	}
}

// IQ1M decodes {u8 qs[32]; u8 qh[16]; u16 scales[4]}: the scale of the block
// is spread over the top nibbles of the four words; a nibble of qh holds three index
// bits and the sign of the shift.
func IQ1M(dst []float32, src []byte) {
	var u unpacked
	points := (*[2048]uint64)(codesIQ1)
	for ; len(dst) >= 256; dst, src = dst[256:], src[56:] {
		b := src[:56]
		sc := u64(b[48:])
		d := fromHalf(uint16(sc>>12&15 | sc>>24&0xf0 | sc>>36&0xf00 | sc>>48&0xf000))
		for k, h := range b[32:48] { // a run of sixteen values
			s := sc >> (16*(k/4) + 3*(k%4)) & 7
			u.scale[k] = d * float32(2*int(s)+1) * 0.125
			q, c, qh := b[2*k:][:2], u.of[16*k:][:16], int(h)
			put64(c, points[int(q[0])|qh&7<<8]+uint64(^qh>>3&1)*(2*ones))
			put64(c[8:], points[int(q[1])|qh>>4&7<<8]+uint64(^qh>>7&1)*(2*ones))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 16, 16, 9)
	}
}
