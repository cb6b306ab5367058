package manyhash

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/blake3"
)

const context = "weightprint test of many hashes"

// Hashes are those of an implementation that takes one message at a time, for trees of
// every shape and any number of messages.
func TestHashesAreBLAKE3(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, ending := range [][]byte{{'b'}, []byte("an ending of several words"), make([]byte, blockBytes)} {
		h := New(context, ending)
		for chunks := 1; chunks <= 19; chunks++ {
			size, n := chunks*ChunkBytes, 1+r.IntN(Lanes)
			src := make([]byte, n*size)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			got := make([][32]byte, n)
			h.Sum(got, src, size)
			for i := range got {
				x := blake3.NewDeriveKey(context)
				x.Write(src[i*size : (i+1)*size])
				x.Write(ending)
				var want [32]byte
				x.Sum(want[:0])
				require.Equal(t, want, got[i], "%d chunks, message %d of %d", chunks, i, n)
			}
		}
	}
}

func TestOtherLengthsAreRefused(t *testing.T) {
	h := New(context, []byte{'b'})
	for _, size := range []int{0, 1, ChunkBytes - 1, ChunkBytes + 1} {
		require.Panics(t, func() { h.Sum(make([][32]byte, 1), make([]byte, 2*ChunkBytes), size) }, "%d bytes", size)
	}
	require.Panics(t, func() { h.Sum(make([][32]byte, 2), make([]byte, ChunkBytes), ChunkBytes) })
	require.Panics(t, func() { h.Sum(make([][32]byte, Lanes+1), make([]byte, 20*ChunkBytes), ChunkBytes) })
	require.Panics(t, func() { New(context, nil) })
}

func BenchmarkSum(b *testing.B) {
	const size = 8 * ChunkBytes
	src, h := make([]byte, Lanes*size), New(context, []byte{'b'})
	var dst [Lanes][32]byte
	b.SetBytes(Lanes * size)
	for b.Loop() {
		h.Sum(dst[:], src, size)
	}
}

func BenchmarkOneByOne(b *testing.B) {
	const size = 8 * ChunkBytes
	src, x := make([]byte, Lanes*size), blake3.NewDeriveKey(context)
	var d [32]byte
	b.SetBytes(Lanes * size)
	for b.Loop() {
		for l := range Lanes {
			x.Reset()
			x.Write(src[l*size : (l+1)*size])
			x.Write([]byte{'b'})
			x.Sum(d[:0])
		}
	}
}
