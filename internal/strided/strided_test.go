package strided

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Long runs of elements that lie apart are read piece by piece.
func TestLongRuns(t *testing.T) {
	storage := make([]byte, 1<<20)
	for i := range storage {
		storage[i] = byte(i*7 + i>>8)
	}
	for _, c := range []struct{ shape, strides []int64 }{
		{[]int64{60_000}, []int64{4}},        // apart, denser than one in sixteen
		{[]int64{4_000}, []int64{60}},        // apart, sparser
		{[]int64{50_000}, []int64{0}},        // one element over and over
		{[]int64{3, 20_000}, []int64{1, 12}}, // three interleaved
		{[]int64{20_000, 3}, []int64{12, 2}}, // short rows
		{[]int64{400, 500}, []int64{1, 400}}, // transposed
		{[]int64{2, 300, 300}, []int64{1, 2, 600}},
	} {
		var want []byte
		index(c.shape, c.strides, func(at int64) { want = append(want, storage[4*at:4*at+4]...) })
		g := New(bytes.NewReader(storage), 0, c.shape, c.strides, 4)
		for _, part := range [][2]int{{0, len(want)}, {5, len(want) - 3}, {len(want) / 3, len(want) / 2}} {
			got := make([]byte, part[1]-part[0])
			_, err := g.ReadAt(got, int64(part[0]))
			require.NoError(t, err)
			require.True(t, bytes.Equal(want[part[0]:part[1]], got), "shape %v strides %v", c.shape, c.strides)
		}
	}
}

// Any range of any view gives what indexing the storage gives.
func TestAnyRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	storage := make([]byte, 3<<20)
	for i := range storage {
		storage[i] = byte(r.Uint32())
	}
	for range 300 {
		size := []int64{1, 2, 4, 8, 16}[r.IntN(5)]
		var shape, strides []int64
		reach, n := int64(0), int64(1)
		for range 1 + r.IntN(4) {
			d, s := 1+r.Int64N(12), r.Int64N(int64([]int{2, 9, 900, 9000}[r.IntN(4)]))
			if (reach+(d-1)*s+1)*size > int64(len(storage)) {
				continue
			}
			shape, strides = append(shape, d), append(strides, s)
			reach, n = reach+(d-1)*s, n*d
		}
		base := r.Int64N(int64(len(storage)) - (reach+1)*size + 1)
		var want []byte
		index(shape, strides, func(at int64) { want = append(want, storage[base+at*size:base+at*size+size]...) })
		g := New(bytes.NewReader(storage), base, shape, strides, size)
		for range 4 {
			lo := r.IntN(len(want))
			p := make([]byte, 1+r.IntN(len(want)-lo))
			k, err := g.ReadAt(p, int64(lo))
			require.NoError(t, err)
			require.Equal(t, len(p), k)
			require.True(t, bytes.Equal(want[lo:lo+k], p), "shape %v strides %v item %d [%d, %d)", shape, strides, size, lo, lo+k)
		}
		if len(want) < 3 {
			continue
		}
		k, err := g.ReadAt(make([]byte, 10), int64(len(want))-3)
		require.Equal(t, 3, k)
		require.Error(t, err)
	}
}

// index calls f with the place of each element in logical order.
func index(shape, strides []int64, f func(int64)) {
	if len(shape) == 0 {
		f(0)
		return
	}
	for i := range shape[0] {
		index(shape[1:], strides[1:], func(at int64) { f(at + i*strides[0]) })
	}
}

// A transposed matrix read as a whole reads each byte once.
func TestTransposedIsCheap(t *testing.T) {
	const rows, cols = 512, 512
	reads := &counting{Reader: bytes.NewReader(make([]byte, 4*rows*cols))}
	g := New(reads, 0, []int64{cols, rows}, []int64{1, cols}, 4)
	_, err := g.ReadAt(make([]byte, 4*rows*cols), 0)
	require.NoError(t, err)
	require.Equal(t, 4*rows*cols, reads.n, "each byte once")
}

// counting counts the bytes that are read.
type counting struct {
	*bytes.Reader
	n, calls int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n += len(p)
	c.calls++
	return c.Reader.ReadAt(p, off)
}

func TestTransposed(t *testing.T) {
	shape, strides := Transposed([]int64{2, 3, 4}, []int{2, 0, 1})
	require.Equal(t, []int64{4, 2, 3}, shape)
	require.Equal(t, []int64{1, 12, 4}, strides)
	require.False(t, Dense(shape, strides, 4))
	shape, strides = Transposed([]int64{2, 3}, []int{0, 1})
	require.True(t, Dense(shape, strides, 8))
	p := make([]byte, 1)
	_, err := New(bytes.NewReader([]byte{7}), 0, nil, nil, 1).ReadAt(p, 0)
	require.NoError(t, err)
	require.Equal(t, byte(7), p[0], "a scalar")
}

// A matrix that lies the other way is read front to back in few reads, each
// byte once, and single rows are read alone.
func TestReadingAhead(t *testing.T) {
	const rows, cols = 512, 8192 // of the stored matrix
	storage := make([]byte, 4*rows*cols)
	for i := range storage {
		storage[i] = byte(i * 7 >> 3)
	}
	reads := &counting{Reader: bytes.NewReader(storage)}
	shape, strides := Transposed([]int64{rows, cols}, []int{1, 0})
	r := New(reads, 0, shape, strides, 4)
	var got []byte
	for off := int64(0); off < int64(len(storage)); off += 64 << 10 {
		p := make([]byte, 64<<10)
		n, err := r.ReadAt(p, off)
		require.NoError(t, err)
		got = append(got, p[:n]...)
	}
	var want []byte
	index(shape, strides, func(at int64) { want = append(want, storage[4*at:4*at+4]...) })
	require.True(t, bytes.Equal(want, got))
	require.Less(t, reads.n, 4*len(storage), "bytes")
	require.Less(t, reads.calls, 140*rows, "reads: of the first panel's beginning row by row")

	reads.n = 0
	r = New(reads, 0, shape, strides, 4)
	for _, row := range []int64{700, 3, 1500} {
		p := make([]byte, 4*rows)
		_, err := r.ReadAt(p, row*4*rows)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want[row*4*rows:(row+1)*4*rows], p))
	}
	require.LessOrEqual(t, reads.n, 3*4*rows*sparsity)
}

// Views that are read by turns, more of them than keep a panel, and by several
// at once, give the same.
func TestReadingAheadByTurns(t *testing.T) {
	storage := make([]byte, 4*300*200)
	for i := range storage {
		storage[i] = byte(i * 13 >> 2)
	}
	shape, strides := Transposed([]int64{300, 200}, []int{1, 0})
	var want []byte
	index(shape, strides, func(at int64) { want = append(want, storage[4*at:4*at+4]...) })
	var wg sync.WaitGroup
	for range 20 {
		r := New(bytes.NewReader(storage), 0, shape, strides, 4)
		for range 2 {
			wg.Go(func() {
				p := make([]byte, 5000)
				for off := 0; off < len(want); off += len(p) {
					n, _ := r.ReadAt(p, int64(off))
					if !bytes.Equal(want[off:off+n], p[:n]) || n != min(len(p), len(want)-off) {
						t.Errorf("%d bytes from %d differ", n, off)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}
