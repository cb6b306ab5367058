package tflite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// sparseAs is a sparse tensor of a type and a shape, n bytes of which are stored.
func sparseAs(n int, typ uint64, shape, order, blocks fld, dimensions ...[]fld) []byte {
	return one(n, shape, u8(typ), u32(1), text("w"), none, none, child(order, blocks, tables(dimensions...)))
}

// numbered is a sparse tensor of 32 bits whose stored numbers are 1, 2, ….
func numbered(n int, shape, order, blocks fld, dimensions ...[]fld) []byte {
	var bits []uint64
	for i := range n {
		for _, b := range binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(i+1))) {
			bits = append(bits, uint64(b))
		}
	}
	return model(tables([]fld{}, []fld{list(1, bits...)}), tables([]fld{shape, u8(0), u32(1), text("w"), none, none, child(order, blocks, tables(dimensions...))}))
}

// bytesRepeated is a list of n bytes of 0.
func bytesRepeated(n int) fld {
	return fld{to: func(w *builder) int {
		at := len(w.b)
		w.put(4, uint64(n))
		w.b = append(w.b, make([]byte, n)...)
		return at
	}}
}

// What is sparse in a way that is not read, or would be larger in memory than is allowed, is listed
// by name; none of its numbers are taken for values.
func TestSparseUnread(t *testing.T) {
	pair, straight := list(4, 4, 2), list(4, 0, 1)
	full := [][]fld{dimension(0, 4), dimension(0, 2)}
	long := bytesRepeated(maxPlaces + 1)
	for name, b := range map[string][]byte{
		"integers":                 sparseAs(8, 9, pair, straight, none, full...),
		"a dimension of 0":         sparseAs(4, 0, list(4, 4, 0), straight, none, dimension(0, 4), dimension(0, 0)),
		"a dimension twice":        sparseAs(32, 0, pair, list(4, 1, 1), none, full...),
		"a dimension too few":      sparseAs(32, 0, pair, list(4, 0), none, full...),
		"a dimension below 0":      sparseAs(32, 0, pair, list(4, 1<<32-1, 0), none, full...),
		"a dimension beyond":       sparseAs(32, 0, pair, list(4, 0, 2), none, full...),
		"blocks, not in the order": sparseAs(32, 0, pair, straight, list(4, 0), full...),
		"blocks, not described":    sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 0), full...),
		"blocks of nothing":        sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 0), dimension(0, 4), dimension(0, 2), dimension(0, 0)),
		"blocks that do not fill":  sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 0), dimension(0, 1), dimension(0, 2), dimension(0, 3)),
		"blocks of dimension 2":    sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 2), dimension(0, 2), dimension(0, 2), dimension(0, 2)),
		"blocks of dimension -1":   sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 1<<32-1), dimension(0, 2), dimension(0, 2), dimension(0, 2)),
		"blocks in another turn":   sparseAs(32, 0, pair, list(4, 0, 1, 3, 2), list(4, 0, 1), dimension(0, 2), dimension(0, 1), dimension(0, 2), dimension(0, 2)),
		"blocks of blocks":         sparseAs(32, 0, pair, list(4, 0, 1, 2, 3), list(4, 0, 0), dimension(0, 1), dimension(0, 2), dimension(0, 2), dimension(0, 2)),
		"blocks not all there":     sparseAs(32, 0, pair, list(4, 0, 1, 2), list(4, 0), dimension(0, 2), dimension(0, 2), []fld{u8(1), u32(2), u8(1), child(list(4, 0, 2, 4, 6, 8)), u8(1), child(list(4, 0, 1, 0, 1, 0, 1, 0, 1))}),
		"too many places":          sparseAs(4, 0, list(4, 4096, 2048), straight, none, dimension(0, 4096), dimension(0, 2048)),
		"too many, then more":      sparseAs(4, 0, list(4, 4096, 2048, 2), list(4, 0, 1, 2), none, dimension(0, 4096), dimension(0, 2048), dimension(0, 2)),
		"too many indices":         sparseAs(4, 0, list(4, 1, 2), straight, none, dimension(0, 1), []fld{u8(1), none, u8(1), child(list(4, 0, 1)), u8(3), child(long)}),
		"too many segments":        sparseAs(4, 0, list(4, 1, 2), straight, none, dimension(0, 1), []fld{u8(1), none, u8(3), child(long), u8(1), child(list(4, 0))}),
	} {
		m, err := read(b)
		require.NoError(t, err, name)
		require.Equal(t, []string{"tensor w is stored sparse; it is listed and not read"}, m.Warnings, name)
		require.Equal(t, tensor.Opaque, m.Tensors()[0].DType, name)
	}
}

// Descriptions that only one rule refuses.
func TestSparseHostile(t *testing.T) {
	segments, indices := child(list(4, 0, 1, 1, 1, 2)), child(list(4, 1, 0))
	only := func(n int, level ...fld) []byte { return thin(n, dimension(0, 4), level) }
	for name, b := range map[string][]byte{
		"the last dimension is not described": thin(16, dimension(0, 4)),
		"a form unknown, otherwise in order":  only(8, u8(2), none, u8(1), segments, u8(1), indices),
		"segments from 1":                     thin(4, dimension(0, 4), compressed(list(4, 1, 1, 1, 1, 2), list(4, 0, 1))),
		"indices of no kind":                  only(8, u8(1), none, u8(1), segments, none, indices),
		"indices of kind 9":                   only(8, u8(1), none, u8(1), segments, u8(9), indices),
		"no list of indices":                  only(8, u8(1), none, u8(1), segments, u8(1), none),
		"another turn, the sizes not":         sparseAs(32, 0, list(4, 4, 2), list(4, 1, 0), none, dimension(0, 4), dimension(0, 2)),
		"blocks, the sizes without":           sparseAs(32, 0, list(4, 4, 2), list(4, 0, 1, 2), list(4, 0), dimension(0, 4), dimension(0, 2), dimension(0, 2)),
		"no size":                             sparseAs(16, 0, list(4, 4, 1), list(4, 0, 1), none, dimension(0, 4), []fld{u8(0)}),
		"a product that overflows":            sparseAs(4, 0, list(4, 1<<31-1, 1<<31-1, 1<<31-1), list(4, 0, 1, 2), none, far(), far(), far()),
	} {
		_, err := read(b)
		require.ErrorIs(t, err, tensor.ErrFormat, name)
	}
	for name, b := range map[string][]byte{
		"4 GB of zeros":              sparseAs(4, 0, list(4, 1, 1<<30), list(4, 0, 1), none, dimension(0, 1), far()),
		"2^62 of zeros, times 4":     sparseAs(4, 0, list(4, 1<<31-1, 1<<31-1), list(4, 0, 1), none, far(), far()),
		"2^61 of half zeros, and 16": sparseAs(2, 1, list(4, 1<<31-1, 1<<31-1, 2), list(4, 0, 1, 2), none, far(), far(), far()),
	} {
		_, err := read(b)
		require.ErrorIs(t, err, tensor.ErrLimit, name)
	}
}

// far has one index of a dimension, the first.
func far() []fld { return compressed(list(4, 0, 1), list(4, 0)) }

// Indices of 16 bits, values of 16 bits, dimensions of one index, and a few of many places.
func TestSparseForms(t *testing.T) {
	short := []fld{u8(1), none, u8(2), child(list(2, 0, 1, 1, 1, 2)), u8(2), child(list(2, 299, 256))}
	for name, c := range map[string]struct {
		b      []byte
		places []int64
	}{
		"16 bits":       {sparseAs(8, 0, list(4, 4, 300), list(4, 0, 1), none, dimension(0, 4), short), []int64{299, 1156}},
		"half":          {sparseAs(4, 1, list(4, 4, 300), list(4, 0, 1), none, dimension(0, 4), short), []int64{299, 1156}},
		"one of one":    {sparseAs(16, 0, list(4, 4, 1), list(4, 0, 1), none, dimension(0, 4), dimension(0, 1)), []int64{0, 1, 2, 3}},
		"few of plenty": {fewOfPlenty(), []int64{4095*4096 + 7}},
	} {
		m, err := read(c.b)
		require.NoError(t, err, name)
		require.Empty(t, m.Warnings, name)
		require.Equal(t, c.places, m.Tensors()[0].Data.(*sparse).places, name)
	}
}

// A tensor of 4 × 6 numbers, in blocks and in turns: the places in the dense tensor of its numbers as
// they are stored, which the reference's definition says: an index of a dimension in blocks counts
// blocks, to which that within the block is added.
func TestSparseBlocks(t *testing.T) {
	shape := list(4, 4, 6)
	some := compressed(list(4, 0, 1, 3), list(4, 2, 0, 1)) // two rows of three blocks: 1 and 2 of them
	for name, c := range map[string]struct {
		b      []byte
		places []int64
	}{
		"2 × 2": {numbered(12, shape, list(4, 0, 1, 2, 3), list(4, 0, 1), dimension(0, 2), some, dimension(0, 2), dimension(0, 2)),
			[]int64{4, 5, 10, 11, 12, 13, 18, 19, 14, 15, 20, 21}},
		"1 × 2":          {numbered(8, shape, list(4, 0, 1, 2), list(4, 1), dimension(0, 4), compressed(list(4, 0, 1, 1, 3, 4), list(4, 2, 0, 1, 1)), dimension(0, 2)), []int64{4, 5, 12, 13, 14, 15, 20, 21}},
		"2 × 1":          {numbered(6, shape, list(4, 0, 1, 2), list(4, 0), dimension(0, 2), compressed(list(4, 0, 1, 3), list(4, 5, 0, 3)), dimension(0, 2)), []int64{5, 11, 12, 18, 15, 21}},
		"columns first":  {numbered(3, shape, list(4, 1, 0), none, dimension(0, 6), compressed(list(4, 0, 0, 1, 1, 3, 3, 3), list(4, 3, 0, 1))), []int64{19, 3, 9}},
		"blocks turned":  {numbered(6, shape, list(4, 1, 0, 2), list(4, 1), dimension(0, 3), compressed(list(4, 0, 1, 1, 3), list(4, 3, 0, 2)), dimension(0, 2)), []int64{18, 19, 4, 5, 16, 17}},
		"all, backwards": {numbered(24, shape, list(4, 1, 0), none, dimension(0, 6), dimension(0, 4)), nil},
	} {
		m, err := read(c.b)
		require.NoError(t, err, name)
		require.Empty(t, m.Warnings, name)
		s := m.Tensors()[0].Data.(*sparse)
		if c.places == nil {
			for i := range 24 {
				c.places = append(c.places, int64(i%4*6+i/4))
			}
		}
		want := make([]float32, 24)
		for i, p := range c.places {
			want[p] = float32(i + 1)
		}
		for lo := range want {
			for hi := lo; hi <= len(want); hi++ {
				got := make([]float32, hi-lo)
				require.NoError(t, s.ReadValues(context.Background(), got, int64(lo)))
				require.Equal(t, want[lo:hi], got, name)
			}
		}
	}
}

// fewOfPlenty has one number in the last of 4096 × 4096 places but eight, and a description of several pages.
func fewOfPlenty() []byte {
	segments := make([]uint64, 4097)
	segments[4096] = 1
	b := sparseAs(4, 0, list(4, 4096, 4096), list(4, 0, 1), none, dimension(0, 4096), compressed(list(4, segments...), list(4, 7)))
	return append(b, make([]byte, 1<<20)...) // so that the zeros are not too many for the file
}

// failing is a reader whose reads from number after on fail.
type failing struct {
	io.ReaderAt
	reads, after int
}

var errDisk = errors.New("the disk is gone")

func (f *failing) ReadAt(p []byte, at int64) (int, error) {
	if f.reads++; f.reads > f.after {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, at)
}

// A read that fails is an error wherever it comes, and never zeros.
func TestSparseReadsCanFail(t *testing.T) {
	b := fewOfPlenty()
	r := &failing{ReaderAt: bytes.NewReader(b), after: 1 << 20}
	m, err := Read(context.Background(), "m", r, int64(len(b)))
	require.NoError(t, err)
	reads := r.reads
	require.Greater(t, reads, 1)
	r.after = 0
	require.ErrorIs(t, m.Tensors()[0].Data.ReadValues(context.Background(), make([]float32, 9), 4095*4096), errDisk)
	for after := range reads {
		_, err := Read(context.Background(), "m", &failing{ReaderAt: bytes.NewReader(b), after: after}, int64(len(b)))
		require.ErrorIs(t, err, errDisk)
	}
}
