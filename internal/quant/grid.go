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

// signed writes scale times a grid point, with the signs of a byte.
func signed(y, point []float32, scale float32, sign byte) {
	for j, g := range point {
		v := scale * g
		if sign>>j&1 == 1 {
			v = -v
		}
		y[j] = v
	}
}

// IQ2XXS decodes {f16 d; u16 qs[32]}: per 32 values four grid indices, four
// times seven signs, and a scale.
func IQ2XXS(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[66:] {
		d := half(src)
		for ib := range 8 {
			q := src[2+8*ib:][:8]
			aux := u32(q[4:])
			db := d * (0.5 + float32(aux>>28)) * 0.25
			for l := range 4 {
				signed(dst[32*ib+8*l:], gridIQ2XXS[8*int(q[l]):][:8], db, signs[aux>>(7*l)&127])
			}
		}
	}
}

// IQ2XS decodes {f16 d; u16 qs[32]; u8 scales[8]}: words of a 9-bit grid
// index and seven signs.
func IQ2XS(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[74:] {
		d := half(src)
		for ib := range 8 {
			sc := src[66+ib]
			db := [2]float32{d * (0.5 + float32(sc&15)) * 0.25, d * (0.5 + float32(sc>>4)) * 0.25}
			for l := range 4 {
				q := u16(src[2+8*ib+2*l:])
				signed(dst[32*ib+8*l:], gridIQ2XS[8*int(q&511):][:8], db[l/2], signs[q>>9])
			}
		}
	}
}

// IQ2S decodes {f16 d; u8 qs[32]; u8 signs[32]; u8 qh[8]; u8 scales[8]}.
func IQ2S(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[82:] {
		d := half(src)
		for ib := range 8 {
			sc, qh := src[74+ib], int(src[66+ib])
			db := [2]float32{d * (0.5 + float32(sc&15)) * 0.25, d * (0.5 + float32(sc>>4)) * 0.25}
			for l := range 4 {
				index := int(src[2+4*ib+l]) | qh<<(8-2*l)&0x300
				signed(dst[32*ib+8*l:], gridIQ2S[8*index:][:8], db[l/2], src[34+4*ib+l])
			}
		}
	}
}

// IQ3XXS decodes {f16 d; u8 qs[64]; u8 scales_and_signs[32]}: points of four.
func IQ3XXS(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[98:] {
		d := half(src)
		for ib := range 8 {
			aux := u32(src[66+4*ib:])
			db := d * (0.5 + float32(aux>>28)) * 0.5
			for l := range 4 {
				sign := signs[aux>>(7*l)&127]
				y, q := dst[32*ib+8*l:], src[2+8*ib+2*l:]
				signed(y, gridIQ3XXS[4*int(q[0]):][:4], db, sign)
				signed(y[4:], gridIQ3XXS[4*int(q[1]):][:4], db, sign>>4)
			}
		}
	}
}

// IQ3S decodes {f16 d; u8 qs[64]; u8 qh[8]; u8 signs[32]; u8 scales[4]}.
func IQ3S(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[110:] {
		d := half(src)
		for ib := range 8 {
			db := d * float32(1+2*int(src[106+ib/2]>>(4*(ib%2))&15))
			qh := int(src[66+ib])
			for l := range 4 {
				sign := src[74+4*ib+l]
				y, q := dst[32*ib+8*l:], src[2+8*ib+2*l:]
				signed(y, gridIQ3S[4*(int(q[0])|qh<<(8-2*l)&256):][:4], db, sign)
				signed(y[4:], gridIQ3S[4*(int(q[1])|qh<<(7-2*l)&256):][:4], db, sign>>4)
			}
		}
	}
}

// shifted writes scale times (point + delta).
func shifted(y, point []float32, scale, delta float32) {
	for j, g := range point {
		y[j] = scale * (g + delta)
	}
}

// IQ1S decodes {f16 d; u8 qs[32]; u16 qh[8]}: per 32 values three index bits
// for each point, a scale and the sign of a shift of ⅛.
func IQ1S(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[50:] {
		d := half(src)
		for ib := range 8 {
			qh := u16(src[34+2*ib:])
			dl := d * float32(2*int(qh>>12&7)+1)
			delta := float32(0.125)
			if qh&0x8000 != 0 {
				delta = -delta
			}
			for l := range 4 {
				index := int(src[2+4*ib+l]) | int(qh>>(3*l)&7)<<8
				shifted(dst[32*ib+8*l:], gridIQ1[8*index:][:8], dl, delta)
			}
		}
	}
}

// IQ1M decodes {u8 qs[32]; u8 qh[16]; u16 scales[4]}: the scale of the block
// is spread over the top nibbles of the four words.
func IQ1M(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[56:] {
		var sc [4]uint16
		var h uint16
		for i := range sc {
			sc[i] = u16(src[48+2*i:])
			h |= sc[i] >> 12 << (4 * i)
		}
		d := fromHalf(h)
		for ib := range 8 {
			for l := range 4 {
				scale := sc[ib/2] >> (6*(ib%2) + 3*(l/2)) & 7
				qh := src[32+2*ib+l/2] >> (4 * (l % 2))
				delta := float32(0.125)
				if qh&8 != 0 {
					delta = -delta
				}
				index := int(src[4*ib+l]) | int(qh&7)<<8
				shifted(dst[32*ib+8*l:], gridIQ1[8*index:][:8], d*float32(2*int(scale)+1), delta)
			}
		}
	}
}
