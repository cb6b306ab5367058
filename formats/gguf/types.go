package gguf

import "github.com/weightprint/weightprint/formats/tensor"

// dtypes maps ggml's type numbers (ggml.h, enum ggml_type) to element types.
// Numbers that were removed, and those beyond the last, are unknown.
var dtypes = byName(map[uint32]string{
	0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
	10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K",
	16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
	24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16",
	34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0", 42: "Q2_0",
})

func byName(names map[uint32]string) map[uint32]tensor.DType {
	out := map[uint32]tensor.DType{}
	for n, name := range names {
		out[n] = tensor.Named(name)
	}
	return out
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
