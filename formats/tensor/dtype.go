package tensor

import "fmt"

// DType is the stored type of a tensor's elements: a plain number type, a
// type smaller than a byte, or a block-quantised ggml type.
type DType uint8

// The element types. Plain types carry the spelling of the safetensors format,
// block types that of ggml. Packed types name what a code stands for: an
// integer with a scale and perhaps a zero-point, a number of bitsandbytes'
// 4-bit tables, an 8-bit float with a scale, an entry of a codebook. Those that one format alone stores
// have no constant of their own: Named gives them.
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
	f8e4m3fnuz
	f8e5m2fnuz
	f6e2m3
	f6e3m2
	F4
	q1_0
	q2_0
	q4_0
	q4_1
	q5_0
	q5_1
	q8_0
	q8_1
	q2k
	q3k
	q4k
	q5k
	q6k
	q8k
	iq1s
	iq1m
	iq2xxs
	iq2xs
	iq2s
	iq3xxs
	iq3s
	iq4nl
	iq4xs
	tq1_0
	tq2_0
	mxfp4
	nvfp4
	packed1 // packed types: each value is made of several stored tensors (package packed)
	packed2
	packed3
	packed4
	packed5
	packed6
	packed7
	packed8
	packed16
	packed32
	nf4
	fp4
	fp8
	vq
	c32
	C128
	Opaque // a stored type that can be listed but has no known decoding
	numDTypes
)

// Kind groups element types by what their values are.
type Kind uint8

// The kinds of element types.
const (
	kindNone    Kind = iota
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

// Named is ParseDType for names that a program states: it panics where there is no
// such type.
func Named(name string) DType {
	d, ok := ParseDType(name)
	if !ok {
		panic("tensor: no element type is named " + name)
	}
	return d
}

// PackedInt is the packed type of integers of 1 to 8, 16 or 32 bits, Invalid for any
// other number of bits.
func PackedInt(bits int) DType {
	switch {
	case 1 <= bits && bits <= 8:
		return packed1 + DType(bits-1)
	case bits == 16:
		return packed16
	case bits == 32:
		return packed32
	}
	return Invalid
}

// Kind tells integers, floats and block-quantised types apart.
func (d DType) Kind() Kind {
	switch {
	case d >= Bool && d <= I64:
		return KindInteger
	case d >= F64 && d <= F4, d == c32, d == C128:
		return KindFloat
	case d >= q1_0 && d <= vq:
		return KindBlock
	}
	return kindNone
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
