package hdf5

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Classes of element types.
const (
	classInteger = 0
	classFloat   = 1
	classString  = 3
	classOpaque  = 5
	classEnum    = 8
	classList    = 9
)

var classNames = [...]string{"an integer", "a float", "a time", "a text", "bits", "opaque bytes", "a compound", "a reference", "an enumeration", "a list of any length", "an array"}

// elementType is what a datatype message says.
type elementType struct {
	dtype tensor.DType // Invalid if no weights
	size  uint64       // bytes
	big   bool         // big-endian
	what  string       // for errors and notes
}

// integers and floats by their size in bytes.
var (
	signed   = map[uint64]tensor.DType{1: tensor.I8, 2: tensor.I16, 4: tensor.I32, 8: tensor.I64}
	unsigned = map[uint64]tensor.DType{1: tensor.U8, 2: tensor.U16, 4: tensor.U32, 8: tensor.U64}
	floats   = map[floatForm]tensor.DType{
		{2, 10, 5, 10, 15}:    tensor.F16,
		{2, 7, 8, 7, 127}:     tensor.BF16,
		{4, 23, 8, 23, 127}:   tensor.F32,
		{8, 52, 11, 52, 1023}: tensor.F64,
	}
)

// floatForm tells the layouts of floats apart. The sign is the highest bit,
// the mantissa starts at the lowest.
type floatForm struct {
	size             uint64
	exponentAt       uint8
	exponent, digits uint8
	bias             uint32
}

// elementType reads a datatype message.
func (m *message) elementType() elementType {
	if m.shared {
		return elementType{what: "a type that stands elsewhere in the file"}
	}
	head := m.u32()
	class, version, bits := head&15, head>>4&15, head>>8
	t := elementType{size: uint64(m.u32()), what: fmt.Sprintf("a type of class %d", class)}
	if int(class) < len(classNames) {
		t.what = classNames[class]
	}
	m.require(version >= 1 && version <= 5, "a datatype of version %d", version)
	t.big = bits&1 != 0
	switch class {
	case classInteger:
		t.integer(m, bits)
	case classFloat:
		t.float(m, bits)
	case classEnum:
		t.boolean(m, bits)
	}
	t.what = fmt.Sprintf("%s of %d bytes", t.what, t.size)
	return t
}

func (t *elementType) integer(m *message, bits uint32) {
	offset, precision := m.u16(), m.u16()
	if offset != 0 || uint64(precision) != 8*t.size {
		return
	}
	if bits&8 != 0 {
		t.dtype = signed[t.size]
	} else {
		t.dtype = unsigned[t.size]
	}
}

func (t *elementType) float(m *message, bits uint32) {
	offset, precision := m.u16(), m.u16()
	form := floatForm{size: t.size, exponentAt: m.u8(), exponent: m.u8()}
	low := m.u8()
	form.digits, form.bias = m.u8(), m.u32()
	implied, sign, vax := bits>>4&3 == 2, uint64(bits>>8&0xff), bits&(1<<6) != 0
	if offset == 0 && uint64(precision) == 8*t.size && low == 0 && implied && sign == 8*t.size-1 && !vax {
		t.dtype = floats[form]
	}
}

// boolean takes h5py's booleans: an enumeration of a signed byte with FALSE
// and TRUE.
func (t *elementType) boolean(m *message, bits uint32) {
	base := (&message{fields: m.fields}).elementType()
	members := bits & 0xffff
	rest := string(m.bytes(uint64(m.left())))
	const want = "FALSE\x00TRUE\x00\x00\x01"
	const padded = "FALSE\x00\x00\x00TRUE\x00\x00\x00\x00\x00\x01"
	if base.dtype == tensor.I8 && members == 2 && (prefixed(rest, want) || prefixed(rest, padded)) {
		t.dtype, t.big = tensor.Bool, false
	}
}

// prefixed tells whether s is a text, and zeros behind it.
func prefixed(s, text string) bool {
	if len(s) < len(text) || s[:len(text)] != text {
		return false
	}
	for _, c := range []byte(s[len(text):]) {
		if c != 0 {
			return false
		}
	}
	return true
}

// space reads a dataspace message: the shape, nil for one that holds nothing.
func (m *message) space() (shape []int64, empty bool) {
	v := m.version(1, 2)
	rank := uint64(m.u8())
	m.skip(1)
	if v == 1 {
		m.skip(5)
	} else if kind := m.u8(); kind == 2 {
		return nil, true
	}
	m.require(rank <= maxRank, "%d dimensions, at most %d", rank, maxRank)
	if m.err != nil {
		return nil, false
	}
	shape = make([]int64, rank)
	for i := range shape {
		n := m.u64()
		m.require(n < 1<<62, "a dimension of %d", n)
		shape[i] = int64(n)
	}
	return shape, false
}

// maxRank is the format's own.
const maxRank = 32
