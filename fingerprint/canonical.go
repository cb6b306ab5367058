package fingerprint

import (
	"encoding/binary"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// form is the canonical form of a leaf: the narrowest that holds all its
// values exactly.
type form int

const (
	form16  form = iota // the upper halves of float32 bits: bfloat16
	form32              // float32 bits
	form64              // float64 bits
	formInt             // signed 64-bit integers
	formNat             // unsigned 64-bit integers
)

// formNames end the hashed message of a leaf.
var formNames = [...][]byte{form16: {'b'}, form32: {'f'}, form64: {'d'}, formInt: {'i'}, formNat: {'u'}}

// canonicalNaN stands for every NaN: formats do not agree on payloads.
const canonicalNaN = 0x7fc00000

// canonical32 is the bits of v, the one NaN for any.
func canonical32(v float32) uint32 {
	if v != v {
		return canonicalNaN
	}
	return math.Float32bits(v)
}

// needsStored tells whether the stored bytes of a type do not follow from the
// values: block types have several codes for one value, and integers and
// booleans are no more than values.
func needsStored(t tensor.DType) bool { return t.Kind() != tensor.KindFloat }

// isWide tells which types hold values that float32 may not.
func isWide(t tensor.DType) bool {
	switch t {
	case tensor.F64, tensor.C128, tensor.I32, tensor.U32, tensor.I64, tensor.U64:
		return true
	}
	return false
}

// integer returns the i-th stored integer as its bits.
func integer(t tensor.DType, raw []byte, i int) uint64 {
	switch t {
	case tensor.I32:
		return uint64(int64(int32(binary.LittleEndian.Uint32(raw[4*i:]))))
	case tensor.U32:
		return uint64(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return binary.LittleEndian.Uint64(raw[8*i:])
}

// number returns the i-th stored value as a float64, rounded if it must be.
func number(t tensor.DType, raw []byte, i int) float64 {
	bits := integer(t, raw, i)
	switch t {
	case tensor.F64, tensor.C128:
		return math.Float64frombits(bits)
	case tensor.U64:
		return float64(bits)
	}
	return float64(int64(bits))
}

// formOf is the smallest form that holds the i-th stored value exactly.
func formOf(t tensor.DType, raw []byte, i int) form {
	v := number(t, raw, i)
	if t != tensor.F64 && t != tensor.C128 {
		bits := integer(t, raw, i)
		switch { // the limits come first: converting a larger float is not defined
		case t == tensor.U64 && (v >= 1<<64 || uint64(v) != bits) && bits>>63 == 1:
			return formNat
		case t == tensor.U64 && (v >= 1<<64 || uint64(v) != bits):
			return formInt
		case t != tensor.U64 && (v >= 1<<63 || int64(v) != int64(bits)):
			return formInt
		}
	}
	if v != v || float64(float32(v)) == v {
		return form32
	}
	return form64
}

// widest is the smaller form that holds what both hold. Within one tensor
// integers that need 64 bits win over float64, which then cannot occur beside
// them with a fraction.
func widest(a, b form) form {
	for _, f := range []form{formNat, formInt, form64} {
		if a == f || b == f {
			return f
		}
	}
	return form32
}

// wideBits encodes the i-th stored value in a 64-bit form.
func wideBits(t tensor.DType, raw []byte, i int, f form) uint64 {
	if f == form64 {
		v := number(t, raw, i)
		if v != v {
			return math.Float64bits(math.NaN())
		}
		return math.Float64bits(v)
	}
	return integer(t, raw, i)
}
