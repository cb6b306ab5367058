package onnx

import "github.com/weightprint/weightprint/formats/tensor"

// elem is one element type of TensorProto.
type elem struct {
	name  string
	dtype tensor.DType // of a stored element; Invalid if it is less than a byte
	bits  int64
	typed int // the field that holds values that are not raw
	// signed is set for integers of less than a byte that have a sign.
	signed bool
}

// The fields of TensorProto that hold values.
const (
	floatData  = 4
	int32Data  = 5
	stringData = 6
	int64Data  = 7
	rawData    = 9
	doubleData = 10
	uint64Data = 11
)

// Types of TensorProto that are treated apart.
const (
	typeInt32  = 6
	typeString = 8
)

// elems are the element types by their number in TensorProto.DataType.
var elems = map[int64]elem{
	1:  {"FLOAT", tensor.F32, 32, floatData, false},
	2:  {"UINT8", tensor.U8, 8, int32Data, false},
	3:  {"INT8", tensor.I8, 8, int32Data, false},
	4:  {"UINT16", tensor.U16, 16, int32Data, false},
	5:  {"INT16", tensor.I16, 16, int32Data, false},
	6:  {"INT32", tensor.I32, 32, int32Data, false},
	7:  {"INT64", tensor.I64, 64, int64Data, false},
	9:  {"BOOL", tensor.Bool, 8, int32Data, false},
	10: {"FLOAT16", tensor.F16, 16, int32Data, false},
	11: {"DOUBLE", tensor.F64, 64, doubleData, false},
	12: {"UINT32", tensor.U32, 32, uint64Data, false},
	13: {"UINT64", tensor.U64, 64, uint64Data, false},
	14: {"COMPLEX64", tensor.C64, 64, floatData, false},
	15: {"COMPLEX128", tensor.C128, 128, doubleData, false},
	16: {"BFLOAT16", tensor.BF16, 16, int32Data, false},
	17: {"FLOAT8E4M3FN", tensor.F8E4M3, 8, int32Data, false},
	18: {"FLOAT8E4M3FNUZ", tensor.Named("F8_E4M3FNUZ"), 8, int32Data, false},
	19: {"FLOAT8E5M2", tensor.F8E5M2, 8, int32Data, false},
	20: {"FLOAT8E5M2FNUZ", tensor.Named("F8_E5M2FNUZ"), 8, int32Data, false},
	21: {"UINT4", tensor.Invalid, 4, int32Data, false},
	22: {"INT4", tensor.Invalid, 4, int32Data, true},
	23: {"FLOAT4E2M1", tensor.F4, 4, int32Data, false},
	24: {"FLOAT8E8M0", tensor.F8E8M0, 8, int32Data, false},
	25: {"UINT2", tensor.Invalid, 2, int32Data, false},
	26: {"INT2", tensor.Invalid, 2, int32Data, true},
}

// integer tells types whose numbers may be codes of a quantised tensor.
func (e elem) integer() bool {
	return e.dtype == tensor.Invalid || e.dtype.Kind() == tensor.KindInteger
}

// bytes is how many bytes n elements take as raw_data.
func (e elem) bytes(n int64) int64 {
	switch {
	case e.bits == 0: // no numbers
		return 0
	case e.bits >= 8:
		return n * (e.bits / 8)
	}
	return n/(8/e.bits) + min(1, n%(8/e.bits))
}
