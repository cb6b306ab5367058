package quant

import (
	"encoding/binary"
	"math"
)

// Encoders holds, by type name, the types with a fixed rule from values to
// bytes: what ggml's quantize_row_*_ref and a rounding cast write. dst takes
// whole blocks, len(src) is a multiple of the block's values.
var Encoders = map[string]func(dst []byte, src []float32){
	"F16":     EncodeF16,
	"BF16":    EncodeBF16,
	"F8_E4M3": EncodeF8E4M3,
	"F8_E5M2": EncodeF8E5M2,
	"Q4_0":    EncodeQ4_0,
	"Q4_1":    EncodeQ4_1,
	"Q5_0":    EncodeQ5_0,
	"Q5_1":    EncodeQ5_1,
	"Q8_0":    EncodeQ8_0,
}

// toHalf rounds to half precision, ties to even. Every NaN keeps its sign and
// the top of its payload and becomes quiet.
func toHalf(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	abs := b & 0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 | uint16(abs>>13&0x3ff)
	case abs >= 0x477ff000: // rounds beyond 65504
		return sign | 0x7c00
	case abs >= 0x38800000: // normal
		abs += 0xfff + abs>>13&1
		return sign | uint16(abs>>13-112<<10)
	}
	// Subnormal: adding ½ lines the last kept bit up with the last bit of a
	// float32, whose own rounding does the rest.
	v := math.Float32frombits(abs) + 0.5
	return sign | uint16(math.Float32bits(v)-0x3f000000)
}

func putHalf(b []byte, f float32) { binary.LittleEndian.PutUint16(b, toHalf(f)) }

// EncodeF16 rounds to half precision, ties to even.
func EncodeF16(dst []byte, src []float32) {
	for i, v := range src {
		putHalf(dst[2*i:], v)
	}
}

// EncodeBF16 rounds to the upper half of a float32, ties to even; NaN is made
// quiet.
func EncodeBF16(dst []byte, src []float32) {
	for i, v := range src {
		b := math.Float32bits(v)
		if v != v {
			b |= 0x400000
		} else {
			b += 0x7fff + b>>16&1
		}
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(b>>16))
	}
}

// EncodeF8E4M3 rounds to E4M3FN, ties to even, as a cast in PyTorch does:
// what rounds beyond 448 becomes NaN.
func EncodeF8E4M3(dst []byte, src []float32) {
	for i, v := range src {
		dst[i] = toByte(v, 3, 7, 448, 0x7f)
	}
}

// EncodeF8E5M2 rounds to E5M2, ties to even: what rounds beyond 57344 becomes
// infinite.
func EncodeF8E5M2(dst []byte, src []float32) {
	for i, v := range src {
		if math.IsNaN(float64(v)) {
			dst[i] = byte(math.Float32bits(v)>>24&0x80) | 0x7f
			continue
		}
		dst[i] = toByte(v, 2, 15, 57344, 0x7c)
	}
}

// toByte rounds to a type with man bits of fraction. Numbers that round
// beyond the largest become the pattern beyond.
func toByte(f float32, man, bias int, largest float64, beyond byte) byte {
	sign := byte(math.Float32bits(f) >> 24 & 0x80)
	v := math.Abs(float64(f))
	if v == 0 {
		return sign
	}
	_, exp := math.Frexp(v) // v in [2^(exp-1), 2^exp)
	least := max(exp-1, 1-bias) - man
	steps := math.RoundToEven(math.Ldexp(v, -least))
	r := math.Ldexp(steps, least)
	if !(r <= largest) {
		return sign | beyond
	}
	if r < math.Ldexp(1, 1-bias) {
		return sign | byte(steps)
	}
	_, exp = math.Frexp(r)
	return sign | byte(exp-1+bias)<<man | byte(math.Ldexp(r, man-exp+1))&(1<<man-1)
}

// farthest returns the value of largest size, the first of equals.
func farthest(x []float32) (v, size float32) {
	for _, e := range x {
		if a := abs(e); size < a {
			size, v = a, e
		}
	}
	return v, size
}

// inverse is 1/d, or 0 for 0.
func inverse(d float32) float32 {
	if d == 0 {
		return 0
	}
	return 1 / d
}

// EncodeQ4_0 follows quantize_row_q4_0_ref: the farthest value becomes −8.
func EncodeQ4_0(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[18:], src[32:] {
		far, _ := farthest(src[:32])
		d := far / -8
		id := inverse(d)
		putHalf(dst, d)
		code := func(v float32) byte { return byte(min(15, int8(float32(v*id)+8.5))) }
		for j := range 16 {
			dst[2+j] = code(src[j])&15 | code(src[16+j])<<4
		}
	}
}

// EncodeQ4_1 follows quantize_row_q4_1_ref: the least value becomes 0.
func EncodeQ4_1(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[20:], src[32:] {
		lo, hi := ends(src[:32])
		d := (hi - lo) / 15
		id := inverse(d)
		putHalf(dst, d)
		putHalf(dst[2:], lo)
		code := func(v float32) byte { return byte(min(15, int8(float32((v-lo)*id)+0.5))) }
		for j := range 16 {
			dst[4+j] = code(src[j])&15 | code(src[16+j])<<4
		}
	}
}

func ends(x []float32) (lo, hi float32) {
	lo, hi = math.MaxFloat32, -math.MaxFloat32
	for _, v := range x {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	return lo, hi
}

// EncodeQ5_0 follows quantize_row_q5_0_ref.
func EncodeQ5_0(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[22:], src[32:] {
		far, _ := farthest(src[:32])
		d := far / -16
		id := inverse(d)
		putHalf(dst, d)
		five(dst[2:], src, func(v float32) byte { return byte(min(31, int8(float32(v*id)+16.5))) })
	}
}

// EncodeQ5_1 follows quantize_row_q5_1_ref.
func EncodeQ5_1(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[24:], src[32:] {
		lo, hi := ends(src[:32])
		d := (hi - lo) / 31
		id := inverse(d)
		putHalf(dst, d)
		putHalf(dst[2:], lo)
		five(dst[4:], src, func(v float32) byte { return byte(float32((v-lo)*id) + 0.5) })
	}
}

// five packs 32 codes of five bits: the fifth bits first, then nibbles.
func five(dst []byte, src []float32, code func(float32) byte) {
	var high uint32
	for j := range 16 {
		a, b := code(src[j]), code(src[16+j])
		dst[4+j] = a&15 | b<<4
		high |= uint32(a>>4&1)<<j | uint32(b>>4&1)<<(j+16)
	}
	binary.LittleEndian.PutUint32(dst, high)
}

// EncodeQ8_0 follows quantize_row_q8_0_ref: halves round away from zero.
func EncodeQ8_0(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[34:], src[32:] {
		_, size := farthest(src[:32])
		d := size / 127
		id := inverse(d)
		putHalf(dst, d)
		for j, v := range src[:32] {
			dst[2+j] = byte(int8(math.Round(float64(float32(v * id)))))
		}
	}
}
