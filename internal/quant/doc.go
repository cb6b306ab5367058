// Package quant holds the block codecs: how each stored element type decodes
// to float32, what step its lattice has at each value, and for the types with
// a fixed rule how float32 values are encoded. Results are the bits that the
// reference implementations give: each product is rounded before it is added.
//
// Decoders fill dst from whole little-endian blocks and panic, as slices do,
// when src is shorter than dst needs; callers check sizes.
package quant

import (
	"encoding/binary"
	"math"
	"slices"
)

// Field is a multi-byte number within a block.
type Field struct{ Offset, Size int }

// Swap turns every field of every block round, from big-endian to
// little-endian or back.
func Swap(src []byte, blockBytes int, fields []Field) {
	for ; len(src) >= blockBytes; src = src[blockBytes:] {
		for _, f := range fields {
			slices.Reverse(src[f.Offset : f.Offset+f.Size])
		}
	}
}

// fields lists n numbers of a size from an offset on.
func fields(offset, size, n int) []Field {
	f := make([]Field, n)
	for i := range f {
		f[i] = Field{offset + i*size, size}
	}
	return f
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// half reads an IEEE half-precision number.
func half(b []byte) float32 { return fromHalf(u16(b)) }

// fromHalf widens exactly: the bits are moved to where a float32 of the same
// exponent field has them, and one exact product corrects the bias, for
// subnormal numbers too.
func fromHalf(h uint16) float32 {
	f := math.Float32frombits(uint32(h&0x7fff)<<13) * 0x1p112
	if f >= 65536 { // exponent 31: infinities and NaN
		f = math.Float32frombits(math.Float32bits(f) | 0x7f800000)
	}
	return math.Float32frombits(math.Float32bits(f) | uint32(h&0x8000)<<16)
}
