package fingerprint

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/manyhash"
)

const (
	leafLeast = 1 << 12 // values that a leaf holds at least, where the tensor has them
	leafMost  = 1 << 20 // values that a leaf holds at most
)

// layout says how the values of a tensor are cut into leaves, by its shape
// alone: a leaf holds the smallest power of two of rows that has 4096 values,
// or 2²⁰ values where rows are longer than that.
type layout struct {
	t     *tensor.Tensor
	total int64 // values
	size  int64 // values of a leaf; the last may be shorter
}

func layoutOf(t *tensor.Tensor) layout {
	l := layout{t: t, total: t.Len(), size: t.Cols()}
	if l.size > leafMost {
		l.size = leafMost
	}
	for l.size > 0 && l.size < leafLeast {
		l.size *= 2
	}
	return l
}

// leaves is how many leaves the tensor has.
func (l *layout) leaves() int64 {
	if l.total == 0 {
		return 0
	}
	return (l.total + l.size - 1) / l.size
}

// leaf returns the first value of a leaf and how many it has.
func (l *layout) leaf(i int64) (first, n int64) {
	first = i * l.size
	return first, min(l.size, l.total-first)
}

// rows names the rows that leaves [first, last) hold.
func (l *layout) rows(first, last int64) (from, to int64) {
	cols := max(1, l.t.Cols())
	return first * l.size / cols, (min(last*l.size, l.total) - 1) / cols
}

// hasher reads leaves of tensors and hashes their values; every worker has its
// own.
type hasher struct {
	values *blake3.Hasher
	stored *blake3.Hasher
	chunk  int    // bytes asked for at a time
	raw    []byte // of the leaf at hand
	ahead  ahead
	batch  batch
	floats []float32
	canon  []byte
	counts *counter // of the upper halves of values; nil when not asked for
	table  *counter // what counts points to when they are
}

func newHasher(chunk int) *hasher {
	h := &hasher{values: newHash(purposeLeaf), stored: newHash(purposeStored), chunk: chunk}
	if manyhash.Wide() {
		h.batch.many = manyhash.New(string(purposeLeaf), formNames[form16])
	}
	return h
}

// read is one leaf that was read.
type read struct {
	leaf   Digest
	bare   bool // there are no stored bytes to hash
	free   bool // the values leave the stored bytes open: stored is a digest over them
	stored Digest
	floats []float32 // the values, where asked for; valid until the next leaf
}

// leaf reads values [first, first+n) of a tensor once, hashes them and counts
// them. Values up to end will be asked for next.
func (h *hasher) leaf(ctx context.Context, t *tensor.Tensor, first, n, end int64, floats bool) (r read, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	s, codec := storedOf(t, first, n)
	if codec == nil {
		err := h.decoded(ctx, t, first, n)
		if err != nil {
			return r, err
		}
		r.leaf, _ = h.plain(h.floats)
		r.bare, r.floats = true, h.floats
		return r, nil
	}
	if err := h.bytes(ctx, t, s, codec, first, n, end); err != nil {
		return r, err
	}
	var nan bool
	switch {
	case isWide(t.DType):
		r.leaf, nan = h.wide(t.DType, int(n))
	case t.DType == tensor.BF16 && h.halvesAreFinite():
		r.leaf = h.halves()
		if floats {
			h.floats = grow(h.floats, n)
			codec.Decode(h.floats, h.raw)
		}
	default:
		h.floats = grow(h.floats, n)
		codec.Decode(h.floats, h.raw)
		r.leaf, nan = h.plain(h.floats)
	}
	r.floats = h.floats
	if r.free = nan || needsStored(t.DType); r.free {
		r.stored = h.digest(h.stored, h.raw)
	}
	return r, nil
}

// storedOf returns how the values lie in a file, nil where they do not or
// where they begin inside a storage block.
func storedOf(t *tensor.Tensor, first, n int64) (*tensor.Stored, *tensor.Codec) {
	s, ok := t.Stored()
	if !ok && isWide(t.DType) { // decoding would round it
		s, ok = tensor.StoredOf(t.Data)
	}
	if !ok {
		return nil, nil
	}
	c, ok := s.DType.Codec()
	if !ok || first%int64(c.BlockValues) != 0 || n%int64(c.BlockValues) != 0 {
		return nil, nil
	}
	return s, c
}

// ahead holds stored bytes that were read for several small leaves at once.
type ahead struct {
	of       *tensor.Tensor
	at       int64
	bytes    []byte
	taken    int // where in bytes what was taken last begins
	readings int
}

// aheadBytes are read at once, or up to twice as many where that makes leaves for all
// lanes of a hasher: few enough to be in the cache still when they are hashed.
const aheadBytes = 128 << 10

// take returns size bytes of a tensor from offset at on, and reads up to offset end for
// them.
func (a *ahead) take(t *tensor.Tensor, s *tensor.Stored, at, size, end int64, c *tensor.Codec, chunk int) ([]byte, error) {
	if a.of != t || at < a.at || at+size > a.at+int64(len(a.bytes)) {
		room := min(max(aheadBytes, manyhash.Lanes*size), 2*aheadBytes, int64(chunk))
		n := max(size, min(end-at, room/size*size))
		a.of, a.at, a.bytes = nil, at, grow(a.bytes, n)
		step := max(1, chunk/c.BlockBytes) * c.BlockBytes
		for done := 0; done < len(a.bytes); done += step {
			if err := s.ReadLittle(a.bytes[done:min(done+step, len(a.bytes))], at+int64(done)); err != nil {
				return nil, err
			}
		}
		a.of = t
		a.readings++
	}
	a.taken = int(at - a.at)
	return a.bytes[a.taken:][:size:size], nil
}

// bytes points raw to the stored bytes of values, in little-endian order.
func (h *hasher) bytes(ctx context.Context, t *tensor.Tensor, s *tensor.Stored, c *tensor.Codec, first, n, end int64) (err error) {
	offset := func(value int64) int64 { return value / int64(c.BlockValues) * int64(c.BlockBytes) }
	if h.raw, err = h.ahead.take(t, s, offset(first), offset(n), offset(end), c, h.chunk); err != nil {
		return err
	}
	if s.DType == tensor.Bool && slices.Max(h.raw) > 1 {
		return s.ReadValues(ctx, make([]float32, n), first) // which says where
	}
	return nil
}

// decoded fills floats through the tensor's own decoding.
func (h *hasher) decoded(ctx context.Context, t *tensor.Tensor, first, n int64) error {
	h.floats = grow(h.floats, n)
	step := int64(max(1, h.chunk/4))
	for done := int64(0); done < n; done += step {
		if err := t.Data.ReadValues(ctx, h.floats[done:min(done+step, n)], first+done); err != nil {
			return err
		}
	}
	return nil
}

// grow returns a slice of n elements that reuses b where it can.
func grow[T any](b []T, n int64) []T {
	if int64(cap(b)) < n {
		return make([]T, n)
	}
	return b[:n]
}

// digest hashes one message.
func (h *hasher) digest(x *blake3.Hasher, parts ...[]byte) Digest {
	x.Reset()
	for _, p := range parts {
		x.Write(p)
	}
	return sum(x)
}

// infinite16 is the upper half of an infinite float32 without its sign.
const infinite16 = 0x7f80

// halvesAreFinite tells whether no stored bfloat16 value is a NaN.
func (h *hasher) halvesAreFinite() bool {
	at := ordinaryHalves(h.raw)
	for ; at+32 <= len(h.raw); at += 32 {
		b := h.raw[at : at+32]
		// Where all exponent bits are set a lane overflows into its sign bit; these
		// lanes are looked at one by one.
		if fullExponents(b)|fullExponents(b[8:])|fullExponents(b[16:])|fullExponents(b[24:]) != 0 && anyNaN(b) {
			return false
		}
	}
	return !anyNaN(h.raw[at:])
}

// fullExponents marks those of four bfloat16 values that are infinite or NaN.
func fullExponents(b []byte) uint64 {
	const magnitudes, one, signs = 0x7fff7fff7fff7fff, 0x0080008000800080, 0x8000800080008000
	return (binary.LittleEndian.Uint64(b)&magnitudes + one) & signs
}

func anyNaN(halves []byte) bool {
	for ; len(halves) >= 2; halves = halves[2:] {
		if binary.LittleEndian.Uint16(halves)&0x7fff > infinite16 {
			return true
		}
	}
	return false
}

// halves hashes bfloat16 values as they are stored, which is their canonical
// form where there is no NaN.
func (h *hasher) halves() Digest {
	if h.counts != nil {
		h.counts.halves(h.raw)
	}
	if d, ok := h.together(); ok {
		return d
	}
	return h.digest(h.values, h.raw, formNames[form16])
}

// together looks up the digest of the leaf at hand among those of leaves that were read
// at once, and takes these where that has not been done: many at a time, where the
// processor is faster so.
func (h *hasher) together() (d Digest, ok bool) {
	b, size := &h.batch, len(h.raw)
	if b.many == nil || size == 0 || size%manyhash.ChunkBytes != 0 {
		return d, false
	}
	at := h.ahead.taken
	if b.reading != h.ahead.readings || b.size != size || at < b.first || at >= b.first+b.n*size || (at-b.first)%size != 0 {
		n := min(manyhash.Lanes, (len(h.ahead.bytes)-at)/size)
		if n < fewestTogether {
			return d, false
		}
		b.reading, b.size, b.first, b.n = h.ahead.readings, size, at, n
		b.many.Sum(b.digests[:n], h.ahead.bytes[at:], size)
	}
	return b.digests[(at-b.first)/size], true
}

// batch holds the digests of leaves of one size that were read at once, if they are
// bfloat16 values of which none is a NaN.
type batch struct {
	many           *manyhash.Hasher // nil where one at a time is faster
	reading        int              // which of ahead's
	size, first, n int              // bytes of a leaf, where the first begins, how many
	digests        [manyhash.Lanes][32]byte
}

// fewestTogether is how many are worth all lanes.
const fewestTogether = 8

// plain hashes float32 values.
func (h *hasher) plain(values []float32) (d Digest, nan bool) {
	low, most := uint32(0), uint32(0)
	for _, v := range values {
		b := math.Float32bits(v)
		low |= b
		most = max(most, b&^(1<<31))
	}
	if h.counts != nil {
		h.counts.floats(values)
	}
	nan = most > infinite16<<16
	if nan {
		low = 0
		for _, v := range values {
			low |= canonical32(v)
		}
	}
	if low&0xffff == 0 {
		h.canon = grow(h.canon, 2*int64(len(values)))
		for i, v := range values {
			binary.LittleEndian.PutUint16(h.canon[2*i:], uint16(canonical32(v)>>16))
		}
		return h.digest(h.values, h.canon, formNames[form16]), nan
	}
	h.canon = grow(h.canon, 4*int64(len(values)))
	for i, v := range values {
		binary.LittleEndian.PutUint32(h.canon[4*i:], canonical32(v))
	}
	return h.digest(h.values, h.canon, formNames[form32]), nan
}

// wide hashes the n stored numbers in raw, whose values float32 may not hold,
// and rounds them into floats.
func (h *hasher) wide(t tensor.DType, n int) (d Digest, nan bool) {
	best := form32
	h.floats = grow(h.floats, int64(n))
	for i := range n {
		best = widest(best, formOf(t, h.raw, i))
		h.floats[i] = float32(number(t, h.raw, i))
		nan = nan || h.floats[i] != h.floats[i]
	}
	narrow, _ := h.plain(h.floats) // counts the values too
	if best == form32 {
		return narrow, nan
	}
	h.canon = grow(h.canon, 8*int64(n))
	for i := range n {
		binary.LittleEndian.PutUint64(h.canon[8*i:], wideBits(t, h.raw, i, best))
	}
	return h.digest(h.values, h.canon, formNames[best]), nan
}

// writeShape hashes a shape.
func writeShape(h *blake3.Hasher, shape []int64) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(shape)))
	h.Write(n[:])
	for _, d := range shape {
		binary.LittleEndian.PutUint64(n[:], uint64(d))
		h.Write(n[:])
	}
}

// tensorDigest closes a tensor: its shape and the root over its leaves.
func tensorDigest(shape []int64, root Digest) Digest {
	h := tensorHashers.Get().(*blake3.Hasher)
	defer tensorHashers.Put(h)
	h.Reset()
	writeShape(h, shape)
	h.Write(root[:])
	return sum(h)
}

// tensorHashers keeps hashers: one takes ten times as much memory as a tensor.
var tensorHashers = sync.Pool{New: func() any { return newHash(purposeTensor) }}
