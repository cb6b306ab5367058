package hdf5

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Chunks of all datasets together take no more than the room there is; one that is larger
// is held alone.
func TestKeptChunks(t *testing.T) {
	k, a, b := &kept{}, &chunked{}, &chunked{}
	quarter := make([]byte, keptBytes/4)
	for i, d := range []*chunked{a, b, a, b} {
		k.keep(chunkOf{d, string(rune('0' + i))}, quarter)
	}
	require.NotNil(t, k.chunk(chunkOf{a, "0"}))
	require.Nil(t, k.chunk(chunkOf{b, "0"}))
	k.keep(chunkOf{b, "4"}, quarter)
	require.Nil(t, k.chunk(chunkOf{a, "0"}), "the oldest leaves first")
	require.NotNil(t, k.chunk(chunkOf{b, "1"}))
	require.Equal(t, keptBytes, k.bytes)
	k.keep(chunkOf{a, "5"}, make([]byte, keptBytes+1))
	require.Len(t, k.chunks, 1)
	require.Len(t, k.old, 1)
	k.keep(chunkOf{a, "6"}, quarter)
	require.Equal(t, keptBytes/4, k.bytes)
}
