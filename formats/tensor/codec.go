package tensor

import "github.com/weightprint/weightprint/internal/quant"

// Codec says how one element type is stored: blocks of BlockBytes bytes that
// hold BlockValues values. Plain types have one value a block; complex types
// have two, the real and imaginary part.
type Codec struct {
	Name        string
	BlockValues int
	BlockBytes  int
	// Decode fills dst from whole little-endian blocks:
	// len(dst)/BlockValues == len(src)/BlockBytes.
	Decode func(dst []float32, src []byte)
	// Fields lists the multi-byte fields of a block, so that a big-endian
	// block can be turned round before decoding.
	Fields []quant.Field
}

// one is the field list of a plain type of n bytes.
func one(n int) []quant.Field { return []quant.Field{{Offset: 0, Size: n}} }

// codecs is the one table of element types. Sources of the block layouts:
// ggml's ggml-common.h and ggml-quants.c; of the small floats: the OCP
// Microscaling and OFP8 specifications.
var codecs = [numDTypes]Codec{
	Bool:       {Name: "BOOL", BlockValues: 1, BlockBytes: 1, Decode: quant.U8},
	U8:         {Name: "U8", BlockValues: 1, BlockBytes: 1, Decode: quant.U8},
	I8:         {Name: "I8", BlockValues: 1, BlockBytes: 1, Decode: quant.I8},
	U16:        {Name: "U16", BlockValues: 1, BlockBytes: 2, Decode: quant.U16, Fields: one(2)},
	I16:        {Name: "I16", BlockValues: 1, BlockBytes: 2, Decode: quant.I16, Fields: one(2)},
	U32:        {Name: "U32", BlockValues: 1, BlockBytes: 4, Decode: quant.U32, Fields: one(4)},
	I32:        {Name: "I32", BlockValues: 1, BlockBytes: 4, Decode: quant.I32, Fields: one(4)},
	U64:        {Name: "U64", BlockValues: 1, BlockBytes: 8, Decode: quant.U64, Fields: one(8)},
	I64:        {Name: "I64", BlockValues: 1, BlockBytes: 8, Decode: quant.I64, Fields: one(8)},
	F64:        {Name: "F64", BlockValues: 1, BlockBytes: 8, Decode: quant.F64, Fields: one(8)},
	F32:        {Name: "F32", BlockValues: 1, BlockBytes: 4, Decode: quant.F32, Fields: one(4)},
	F16:        {Name: "F16", BlockValues: 1, BlockBytes: 2, Decode: quant.F16, Fields: one(2)},
	BF16:       {Name: "BF16", BlockValues: 1, BlockBytes: 2, Decode: quant.BF16, Fields: one(2)},
	C64:        {Name: "C64", BlockValues: 2, BlockBytes: 8, Decode: quant.F32, Fields: []quant.Field{{Offset: 0, Size: 4}, {Offset: 4, Size: 4}}},
	c32:        {Name: "C32", BlockValues: 2, BlockBytes: 4, Decode: quant.F16, Fields: []quant.Field{{Offset: 0, Size: 2}, {Offset: 2, Size: 2}}},
	C128:       {Name: "C128", BlockValues: 2, BlockBytes: 16, Decode: quant.F64, Fields: []quant.Field{{Offset: 0, Size: 8}, {Offset: 8, Size: 8}}},
	F8E5M2:     {Name: "F8_E5M2", BlockValues: 1, BlockBytes: 1, Decode: quant.F8E5M2},
	F8E4M3:     {Name: "F8_E4M3", BlockValues: 1, BlockBytes: 1, Decode: quant.F8E4M3},
	F8E8M0:     {Name: "F8_E8M0", BlockValues: 1, BlockBytes: 1, Decode: quant.F8E8M0},
	f8e4m3fnuz: {Name: "F8_E4M3FNUZ", BlockValues: 1, BlockBytes: 1, Decode: quant.F8E4M3FNUZ},
	f8e5m2fnuz: {Name: "F8_E5M2FNUZ", BlockValues: 1, BlockBytes: 1, Decode: quant.F8E5M2FNUZ},
	f6e2m3:     {Name: "F6_E2M3", BlockValues: 4, BlockBytes: 3, Decode: quant.F6E2M3},
	f6e3m2:     {Name: "F6_E3M2", BlockValues: 4, BlockBytes: 3, Decode: quant.F6E3M2},
	F4:         {Name: "F4", BlockValues: 2, BlockBytes: 1, Decode: quant.F4},
	q1_0:       {Name: "Q1_0", BlockValues: 128, BlockBytes: 18, Decode: quant.Q1_0, Fields: quant.FieldsQ1_0},
	q2_0:       {Name: "Q2_0", BlockValues: 64, BlockBytes: 18, Decode: quant.Q2_0, Fields: quant.FieldsQ2_0},
	q4_0:       {Name: "Q4_0", BlockValues: 32, BlockBytes: 18, Decode: quant.Q4_0, Fields: quant.FieldsQ4_0},
	q4_1:       {Name: "Q4_1", BlockValues: 32, BlockBytes: 20, Decode: quant.Q4_1, Fields: quant.FieldsQ4_1},
	q5_0:       {Name: "Q5_0", BlockValues: 32, BlockBytes: 22, Decode: quant.Q5_0, Fields: quant.FieldsQ5_0},
	q5_1:       {Name: "Q5_1", BlockValues: 32, BlockBytes: 24, Decode: quant.Q5_1, Fields: quant.FieldsQ5_1},
	q8_0:       {Name: "Q8_0", BlockValues: 32, BlockBytes: 34, Decode: quant.Q8_0, Fields: quant.FieldsQ8_0},
	q8_1:       {Name: "Q8_1", BlockValues: 32, BlockBytes: 36, Decode: quant.Q8_1, Fields: quant.FieldsQ8_1},
	q2k:        {Name: "Q2_K", BlockValues: 256, BlockBytes: 84, Decode: quant.Q2K, Fields: quant.FieldsQ2K},
	q3k:        {Name: "Q3_K", BlockValues: 256, BlockBytes: 110, Decode: quant.Q3K, Fields: quant.FieldsQ3K},
	q4k:        {Name: "Q4_K", BlockValues: 256, BlockBytes: 144, Decode: quant.Q4K, Fields: quant.FieldsQ4K},
	q5k:        {Name: "Q5_K", BlockValues: 256, BlockBytes: 176, Decode: quant.Q5K, Fields: quant.FieldsQ5K},
	q6k:        {Name: "Q6_K", BlockValues: 256, BlockBytes: 210, Decode: quant.Q6K, Fields: quant.FieldsQ6K},
	q8k:        {Name: "Q8_K", BlockValues: 256, BlockBytes: 292, Decode: quant.Q8K, Fields: quant.FieldsQ8K},
	iq1s:       {Name: "IQ1_S", BlockValues: 256, BlockBytes: 50, Decode: quant.IQ1S, Fields: quant.FieldsIQ1S},
	iq1m:       {Name: "IQ1_M", BlockValues: 256, BlockBytes: 56, Decode: quant.IQ1M, Fields: quant.FieldsIQ1M},
	iq2xxs:     {Name: "IQ2_XXS", BlockValues: 256, BlockBytes: 66, Decode: quant.IQ2XXS, Fields: quant.FieldsIQ2XXS},
	iq2xs:      {Name: "IQ2_XS", BlockValues: 256, BlockBytes: 74, Decode: quant.IQ2XS, Fields: quant.FieldsIQ2XS},
	iq2s:       {Name: "IQ2_S", BlockValues: 256, BlockBytes: 82, Decode: quant.IQ2S, Fields: quant.FieldsIQ2S},
	iq3xxs:     {Name: "IQ3_XXS", BlockValues: 256, BlockBytes: 98, Decode: quant.IQ3XXS, Fields: quant.FieldsIQ3XXS},
	iq3s:       {Name: "IQ3_S", BlockValues: 256, BlockBytes: 110, Decode: quant.IQ3S, Fields: quant.FieldsIQ3S},
	iq4nl:      {Name: "IQ4_NL", BlockValues: 32, BlockBytes: 18, Decode: quant.IQ4NL, Fields: quant.FieldsIQ4NL},
	iq4xs:      {Name: "IQ4_XS", BlockValues: 256, BlockBytes: 136, Decode: quant.IQ4XS, Fields: quant.FieldsIQ4XS},
	tq1_0:      {Name: "TQ1_0", BlockValues: 256, BlockBytes: 54, Decode: quant.TQ1_0, Fields: quant.FieldsTQ1_0},
	tq2_0:      {Name: "TQ2_0", BlockValues: 256, BlockBytes: 66, Decode: quant.TQ2_0, Fields: quant.FieldsTQ2_0},
	mxfp4:      {Name: "MXFP4", BlockValues: 32, BlockBytes: 17, Decode: quant.MXFP4},
	nvfp4:      {Name: "NVFP4", BlockValues: 64, BlockBytes: 36, Decode: quant.NVFP4},
	packed1:    {Name: "INT1"},
	packed2:    {Name: "INT2"},
	packed3:    {Name: "INT3"},
	packed4:    {Name: "INT4"},
	packed5:    {Name: "INT5"},
	packed6:    {Name: "INT6"},
	packed7:    {Name: "INT7"},
	packed8:    {Name: "INT8"},
	packed16:   {Name: "INT16"},
	packed32:   {Name: "INT32"},
	nf4:        {Name: "NF4"},
	fp4:        {Name: "FP4"},
	fp8:        {Name: "FP8"},
	vq:         {Name: "VQ"},
	Opaque:     {Name: "opaque"},
}
