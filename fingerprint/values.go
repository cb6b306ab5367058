package fingerprint

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/formats/tensor"
)

// form is the canonical form of a row: the first that holds its values.
type form byte

const (
	form32  form = 'f' // float32 bits
	form64  form = 'd' // float64 bits
	formInt form = 'i' // signed 64-bit integers
	formNat form = 'u' // unsigned 64-bit integers
)

// canonicalNaN stands for every NaN: formats do not agree on payloads.
const canonicalNaN = 0x7fc00000

// rowHasher hashes rows of values.
type rowHasher struct {
	h   *blake3.Hasher
	buf []byte
}

func newRowHasher() *rowHasher { return &rowHasher{h: newHash(purposeRow)} }

// floats hashes a row of float32 values.
func (r *rowHasher) floats(row []float32) Digest {
	r.begin(form32, 4*len(row))
	for i, v := range row {
		bits := math.Float32bits(v)
		if v != v {
			bits = canonicalNaN
		}
		binary.LittleEndian.PutUint32(r.buf[1+4*i:], bits)
	}
	return r.end()
}

// wide hashes a row of stored 64-bit or 32-bit numbers whose values float32
// may not hold.
func (r *rowHasher) wide(t tensor.DType, raw []byte) Digest {
	n := len(raw) / width(t)
	best := form32
	for i := range n {
		best = widest(best, formOf(t, raw, i))
	}
	size := 8
	if best == form32 {
		size = 4
	}
	r.begin(best, size*n)
	for i := range n {
		if at := 1 + size*i; best == form32 {
			v := float32(number(t, raw, i))
			bits := math.Float32bits(v)
			if v != v {
				bits = canonicalNaN
			}
			binary.LittleEndian.PutUint32(r.buf[at:], bits)
		} else {
			binary.LittleEndian.PutUint64(r.buf[at:], wideBits(t, raw, i, best))
		}
	}
	return r.end()
}

func (r *rowHasher) begin(f form, n int) {
	if cap(r.buf) < n+1 {
		r.buf = make([]byte, n+1)
	}
	r.buf = r.buf[:n+1]
	r.buf[0] = byte(f)
}

func (r *rowHasher) end() Digest {
	r.h.Reset()
	r.h.Write(r.buf)
	return sum(r.h)
}

// isWide tells which types hold values that float32 may not.
func isWide(t tensor.DType) bool {
	switch t {
	case tensor.F64, tensor.C128, tensor.I32, tensor.U32, tensor.I64, tensor.U64:
		return true
	}
	return false
}

func width(t tensor.DType) int {
	if t == tensor.I32 || t == tensor.U32 {
		return 4
	}
	return 8
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

// rows streams a tensor's rows in order, with their digests; values are nil
// for types that float32 does not hold. Rows are read together up to 2¹⁸
// values, longer ones whole.
func rows(ctx context.Context, t *tensor.Tensor, yield func(row int64, values []float32, d Digest)) error {
	cols, n := t.Cols(), t.Rows()
	if cols == 0 || n == 0 {
		return nil
	}
	const target = 1 << 18
	per := max(1, target/cols)
	h := newRowHasher()
	if s, ok := t.Data.(*tensor.Stored); ok && isWide(t.DType) {
		return wideRows(ctx, t, s, per, h, yield)
	}
	buf := make([]float32, min(per, n)*cols)
	for first := int64(0); first < n; first += per {
		k := min(per, n-first)
		if err := t.ReadRows(ctx, buf[:k*cols], first, k); err != nil {
			return err
		}
		for i := range k {
			row := buf[i*cols : (i+1)*cols]
			yield(first+i, row, h.floats(row))
		}
	}
	return nil
}

// wideRows is rows for types that decode to more than float32 holds.
func wideRows(ctx context.Context, t *tensor.Tensor, s *tensor.Stored, per int64, h *rowHasher, yield func(int64, []float32, Digest)) error {
	size := t.Cols() * int64(width(t.DType))
	n := t.Rows()
	buf := make([]byte, min(per, n)*size)
	for first := int64(0); first < n; first += per {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := min(per, n-first)
		if err := s.ReadLittle(buf[:k*size], first*size); err != nil {
			return err
		}
		for i := range k {
			yield(first+i, nil, h.wide(t.DType, buf[i*size:(i+1)*size]))
		}
	}
	return nil
}

// tensorDigest closes a tensor: its shape and the root over its rows.
func tensorDigest(shape []int64, root Digest) Digest {
	h := newHash(purposeTensor)
	writeShape(h, shape)
	h.Write(root[:])
	return sum(h)
}

func writeShape(h *blake3.Hasher, shape []int64) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(shape)))
	h.Write(n[:])
	for _, d := range shape {
		binary.LittleEndian.PutUint64(n[:], uint64(d))
		h.Write(n[:])
	}
}

// Values returns the value digest of a tensor: equal for equal shapes and
// values, whatever the name, the file, the container and the stored type.
func Values(ctx context.Context, t *tensor.Tensor) (Digest, error) {
	var tree Tree
	if err := rows(ctx, t, func(_ int64, _ []float32, d Digest) { tree.Add(d) }); err != nil {
		return Digest{}, err
	}
	return tensorDigest(t.Shape, tree.Root()), nil
}
