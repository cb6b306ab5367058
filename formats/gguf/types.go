package gguf

import "github.com/weightprint/weightprint/formats/tensor"

// dtypes maps ggml's type numbers (ggml.h, enum ggml_type) to element types.
// Numbers that were removed, and those beyond the last, are unknown.
var dtypes = map[uint32]tensor.DType{
	0: tensor.F32, 1: tensor.F16, 2: tensor.Q4_0, 3: tensor.Q4_1, 6: tensor.Q5_0, 7: tensor.Q5_1, 8: tensor.Q8_0, 9: tensor.Q8_1,
	10: tensor.Q2K, 11: tensor.Q3K, 12: tensor.Q4K, 13: tensor.Q5K, 14: tensor.Q6K, 15: tensor.Q8K,
	16: tensor.IQ2XXS, 17: tensor.IQ2XS, 18: tensor.IQ3XXS, 19: tensor.IQ1S, 20: tensor.IQ4NL, 21: tensor.IQ3S, 22: tensor.IQ2S, 23: tensor.IQ4XS,
	24: tensor.I8, 25: tensor.I16, 26: tensor.I32, 27: tensor.I64, 28: tensor.F64, 29: tensor.IQ1M, 30: tensor.BF16,
	34: tensor.TQ1_0, 35: tensor.TQ2_0, 39: tensor.MXFP4, 40: tensor.NVFP4, 41: tensor.Q1_0, 42: tensor.Q2_0,
}

// Type is the type of a metadata value.
type Type uint32

// The value types.
const (
	Uint8 Type = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
	numTypes
)

// typeSizes holds the bytes of a value, 0 for strings and arrays.
var typeSizes = [numTypes]uint64{Uint8: 1, Int8: 1, Uint16: 2, Int16: 2, Uint32: 4, Int32: 4, Float32: 4, Bool: 1, Uint64: 8, Int64: 8, Float64: 8}

var typeNames = [numTypes]string{"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "arr", "u64", "i64", "f64"}

// String returns the short name, such as "u32".
func (t Type) String() string {
	if t < numTypes {
		return typeNames[t]
	}
	return "unknown"
}

// DTypeOf is the element type of a number of ggml's, for formats that share them.
func DTypeOf(number uint32) (t tensor.DType, known bool) {
	t, known = dtypes[number]
	return t, known
}
