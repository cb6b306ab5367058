package commitment

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
)

// A leaf is hashed in its canonical form: a letter and the values,
// little-endian. 'f' holds float32 and is taken whenever it loses nothing, so
// that a lossless cast keeps a commitment; else 'd' holds float64, 'i' signed
// and 'u' unsigned 64-bit integers.
var forms = map[byte]struct {
	size  int
	value func([]byte) float32
}{
	'f': {4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
	'd': {8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }},
	'i': {8, func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) }},
	'u': {8, func(b []byte) float32 { return float32(binary.LittleEndian.Uint64(b)) }},
}

// canonicalNaN stands for every NaN: formats do not agree on payloads.
const canonicalNaN = 0x7fc00000

// canonicaliser encodes and hashes leaves in one buffer.
type canonicaliser struct {
	h   *blake3.Hasher
	buf []byte
}

func newCanonicaliser() *canonicaliser { return &canonicaliser{h: newHash(purposeRow)} }

// floats encodes values that float32 holds.
func (c *canonicaliser) floats(v []float32) fingerprint.Digest {
	c.buf = appendFloats(append(c.buf[:0], 'f'), v)
	return c.digest()
}

// begin starts a leaf of a form that is hashed piece by piece.
func (c *canonicaliser) begin(form byte) {
	c.h.Reset()
	c.h.Write([]byte{form})
}

// more hashes further float32 values of the leaf.
func (c *canonicaliser) more(v []float32) {
	c.buf = appendFloats(c.buf[:0], v)
	c.h.Write(c.buf)
}

// moreWide hashes further 64-bit values of the leaf.
func (c *canonicaliser) moreWide(w wideType, raw []byte) {
	c.buf = c.buf[:0]
	for ; len(raw) > 0; raw = raw[w.size:] {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, w.bits(raw))
	}
	c.h.Write(c.buf)
}

// narrowAll converts stored numbers to float32; false where one of them is none.
func (w wideType) narrowAll(raw []byte, narrow []float32) bool {
	for i := range narrow {
		v, exact := w.narrow(raw[i*w.size:])
		if !exact {
			return false
		}
		narrow[i] = v
	}
	return true
}

func appendFloats(b []byte, v []float32) []byte {
	for _, x := range v {
		bits := math.Float32bits(x)
		if x != x {
			bits = canonicalNaN
		}
		b = binary.LittleEndian.AppendUint32(b, bits)
	}
	return b
}

// wide encodes stored 64-bit and 32-bit numbers: as float32 where all of them
// are float32 numbers.
func (c *canonicaliser) wide(t tensor.DType, raw []byte, narrow []float32) fingerprint.Digest {
	w := wideTypes[t]
	for i := range narrow {
		v, exact := w.narrow(raw[i*w.size:])
		if !exact {
			c.buf = append(c.buf[:0], w.form)
			for i := range narrow {
				c.buf = binary.LittleEndian.AppendUint64(c.buf, w.bits(raw[i*w.size:]))
			}
			return c.digest()
		}
		narrow[i] = v
	}
	return c.floats(narrow)
}

func (c *canonicaliser) digest() fingerprint.Digest {
	c.h.Reset()
	c.h.Write(c.buf)
	return sum(c.h)
}

// wideType is a stored type that holds numbers which float32 does not.
type wideType struct {
	form   byte
	size   int
	bits   func([]byte) uint64          // in the 64-bit form
	narrow func([]byte) (float32, bool) // false where float32 does not hold the number
}

var wideTypes = map[tensor.DType]wideType{
	tensor.F64: {'d', 8, canonical64, func(b []byte) (float32, bool) {
		v := math.Float64frombits(le.Uint64(b))
		return float32(v), v != v || float64(float32(v)) == v
	}},
	tensor.I64: {'i', 8, le.Uint64, func(b []byte) (float32, bool) { return signed(int64(le.Uint64(b))) }},
	tensor.I32: {'i', 4, func(b []byte) uint64 { return uint64(int64(int32(le.Uint32(b)))) }, func(b []byte) (float32, bool) { return signed(int64(int32(le.Uint32(b)))) }},
	tensor.U64: {'u', 8, le.Uint64, func(b []byte) (float32, bool) { return unsigned(le.Uint64(b)) }},
	tensor.U32: {'u', 4, func(b []byte) uint64 { return uint64(le.Uint32(b)) }, func(b []byte) (float32, bool) { return unsigned(uint64(le.Uint32(b))) }},
}

var le = binary.LittleEndian

func canonical64(b []byte) uint64 {
	if v := math.Float64frombits(le.Uint64(b)); v != v {
		return math.Float64bits(math.NaN())
	}
	return le.Uint64(b)
}

// signed tells whether float32 holds an integer: the limit comes first, as
// converting a larger float is not defined.
func signed(v int64) (float32, bool) {
	f := float32(v)
	return f, f < 1<<63 && int64(f) == v
}

func unsigned(v uint64) (float32, bool) {
	f := float32(v)
	return f, f < 1<<64 && uint64(f) == v
}

// values decodes a canonical leaf of n values to float32, rounding wider forms
// to nearest; false where b is none.
func values(b []byte, n int) ([]float32, bool) {
	if len(b) == 0 {
		return nil, false
	}
	f, ok := forms[b[0]]
	if !ok || int64(len(b)) != 1+int64(n)*int64(f.size) {
		return nil, false
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = f.value(b[1+i*f.size:])
	}
	return out, true
}

// Values decodes the row to float32; nil where it is no row of n values.
func (r RowProof) Values(n int) []float32 {
	v, _ := values(r.Row, n)
	return v
}

// rowDigest hashes a canonical leaf.
func rowDigest(canonical []byte) fingerprint.Digest {
	h := newHash(purposeRow)
	h.Write(canonical)
	return sum(h)
}
