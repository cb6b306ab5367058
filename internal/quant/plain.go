package quant

import (
	"encoding/binary"
	"math"
)

// U8 decodes unsigned bytes; BOOL is stored so as well.
func U8(dst []float32, src []byte) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

// I8 decodes signed bytes.
func I8(dst []float32, src []byte) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = float32(int8(src[i]))
	}
}

// U16 decodes unsigned 16-bit integers.
func U16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// I16 decodes signed 16-bit integers.
func I16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(src[2*i:])))
	}
}

// U32 decodes unsigned 32-bit integers, rounded to nearest even.
func U32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// I32 decodes signed 32-bit integers, rounded to nearest even.
func I32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(int32(binary.LittleEndian.Uint32(src[4*i:])))
	}
}

// U64 decodes unsigned 64-bit integers, rounded to nearest even.
func U64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint64(src[8*i:]))
	}
}

// I64 decodes signed 64-bit integers, rounded to nearest even.
func I64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(int64(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// F64 decodes double-precision numbers, rounded to nearest even.
func F64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// F32 decodes single-precision numbers.
func F32(dst []float32, src []byte) { floats(dst, src[:4*len(dst)]) }

// F16 decodes half-precision numbers.
func F16(dst []float32, src []byte) { halves(dst, src[:2*len(dst)]) }

// BF16 decodes the upper halves of single-precision numbers.
func BF16(dst []float32, src []byte) { bfloats(dst, src[:2*len(dst)]) }
