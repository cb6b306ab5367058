//go:build !purego

package manyhash

import "github.com/weightprint/weightprint/internal/simd"

// Wide tells whether this is faster than hashing one message after the other.
func Wide() bool { return simd.AVX512 }

// hashChunk takes the chunk of each message that begins at src, stride bytes from one to
// the next, into the chaining values.
func hashChunk(cv *lanes, src []byte, messages, stride int, number uint64, mode uint32) {
	if !simd.AVX512 {
		chunkPlain(cv, src, messages, stride, number, mode)
		return
	}
	_ = src[(messages-1)*stride+ChunkBytes-1]
	var at [Lanes]*byte // lanes without a message of their own repeat the last
	for l := range at {
		at[l] = &src[min(l, messages-1)*stride]
	}
	chunkAVX512(cv, &at, number, mode)
}

// hashParent sets right to the parents of left and right.
func hashParent(right, left *lanes, key *[8]uint32, flags uint32) {
	if !simd.AVX512 {
		parentPlain(right, left, key, flags)
		return
	}
	parentAVX512(right, left, key, flags)
}

// chunkAVX512 takes a chunk of ChunkBytes of each of sixteen messages.
//
//go:noescape
func chunkAVX512(cv *lanes, at *[Lanes]*byte, number uint64, mode uint32)

//go:noescape
func parentAVX512(right, left *lanes, key *[8]uint32, flags uint32)
