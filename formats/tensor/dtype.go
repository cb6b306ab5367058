package tensor

import "fmt"

// DType is the stored type of a tensor's elements: a plain number type, a
// type smaller than a byte, or a block-quantised ggml type.
type DType uint8

// The element types. Plain types carry the spelling of the safetensors format,
// block types that of ggml. Packed types name what a code stands for: an
// integer with a scale and perhaps a zero-point, a number of bitsandbytes'
// 4-bit tables, an 8-bit float with a scale.
const (
	Invalid DType = iota
	Bool
	U8
	I8
	U16
	I16
	U32
	I32
	U64
	I64
	F64
	F32
	F16
	BF16
	C64
	F8E5M2
	F8E4M3
	F8E8M0
	F8E4M3FNUZ
	F8E5M2FNUZ
	F6E2M3
	F6E3M2
	F4
	Q1_0
	Q2_0
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q8_0
	Q8_1
	Q2K
	Q3K
	Q4K
	Q5K
	Q6K
	Q8K
	IQ1S
	IQ1M
	IQ2XXS
	IQ2XS
	IQ2S
	IQ3XXS
	IQ3S
	IQ4NL
	IQ4XS
	TQ1_0
	TQ2_0
	MXFP4
	NVFP4
	Int1 // packed types: each value is made of several stored tensors (package packed)
	Int2
	Int3
	Int4
	Int5
	Int6
	Int7
	Int8
	NF4
	FP4
	FP8
	C32
	C128
	Opaque // a stored type that can be listed but has no known decoding
	numDTypes
)

// Kind groups element types by what their values are.
type Kind uint8

// The kinds of element types.
const (
	KindNone    Kind = iota
	KindInteger      // exact integers, Bool included
	KindFloat        // one stored number a value
	KindBlock        // values share scales in blocks
)

// String returns the type's usual name, such as "BF16" or "Q4_K".
func (d DType) String() string {
	if d < numDTypes && codecs[d].Name != "" {
		return codecs[d].Name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// MarshalText writes the name; it is what reports carry.
func (d DType) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *DType) UnmarshalText(text []byte) error {
	for t := range numDTypes {
		if t.String() == string(text) {
			*d = t
			return nil
		}
	}
	return fmt.Errorf("%.40q is no element type", text)
}

// ParseDType returns the type with the given name, or Invalid and false.
func ParseDType(name string) (DType, bool) {
	for d := range numDTypes {
		if codecs[d].Name == name && d != Invalid {
			return d, true
		}
	}
	return Invalid, false
}

// Kind tells integers, floats and block-quantised types apart.
func (d DType) Kind() Kind {
	switch {
	case d >= Bool && d <= I64:
		return KindInteger
	case d >= F64 && d <= F4, d == C32, d == C128:
		return KindFloat
	case d >= Q1_0 && d <= FP8:
		return KindBlock
	}
	return KindNone
}

// Codec returns how the type is stored in one run of bytes. It reports false
// for Invalid and Opaque, whose values cannot be read, and for packed types,
// whose values are spread over several tensors.
func (d DType) Codec() (*Codec, bool) {
	if d >= numDTypes || codecs[d].Decode == nil {
		return nil, false
	}
	return &codecs[d], true
}
