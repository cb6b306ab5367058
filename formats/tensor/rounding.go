package tensor

import (
	"math"

	"github.com/x448/float16"

	"github.com/weightprint/weightprint/internal/quant"
)

// Rounding returns how a float32 changes when it is stored as a plain type:
// to nearest, ties to even; nil for types that lose nothing or that are no
// such rounding.
func (t DType) Rounding() func(float32) float32 {
	switch t {
	case BF16:
		return roundBF16
	case F16:
		return func(x float32) float32 { return float16.Fromfloat32(x).Float32() }
	case F8E4M3:
		return throughByte(quant.EncodeF8E4M3, quant.F8E4M3)
	case F8E5M2:
		return throughByte(quant.EncodeF8E5M2, quant.F8E5M2)
	}
	return nil
}

func roundBF16(x float32) float32 {
	b := math.Float32bits(x)
	if x != x {
		return x
	}
	b += 0x7fff + b>>16&1
	return math.Float32frombits(b &^ 0xffff)
}

// throughByte rounds by encoding to one byte and decoding it again.
func throughByte(encode func([]byte, []float32), decode func([]float32, []byte)) func(float32) float32 {
	return func(x float32) float32 {
		var b [1]byte
		v := [1]float32{x}
		encode(b[:], v[:])
		decode(v[:], b[:])
		return v[0]
	}
}
