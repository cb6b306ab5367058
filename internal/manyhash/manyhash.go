// Package manyhash takes BLAKE3 hashes of sixteen messages of one length at a time, one
// in each lane of the processor's widest registers. A library that hashes one message at
// a time leaves lanes idle in short ones, in the tree above their chunks most of all.
//
// The hash is the one that the specification says, in its mode for deriving keys
// (O'Connor, Aumasson, Neves, Wilcox-O'Hearn: BLAKE3, 2021, sections 2.2 to 2.5).
package manyhash

import "math/bits"

const (
	// Lanes is how many messages are hashed at a time.
	Lanes = 16
	// ChunkBytes divides the length of all messages, less their ending.
	ChunkBytes = 1024
	blockBytes = 64
	maxDepth   = 54 // of a tree over chunks
)

// Flags of a compression.
const (
	chunkStart = 1 << iota
	chunkEnd
	parent
	root
	keyedHash
	deriveContext
	deriveMaterial
)

var initial = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// Hasher hashes messages that all have the same ending. It is for one caller at a time.
type Hasher struct {
	key    [8]uint32
	ending []byte
	stack  [maxDepth]lanes // of trees whose right halves are still to come
	chunk  lanes
}

// lanes hold a chaining value of each message, word by word.
type lanes [8][Lanes]uint32

// New hashes for the purpose that a context names. The ending, of at most a block, is
// added to every message.
func New(context string, ending []byte) *Hasher {
	if len(context) > ChunkBytes || len(ending) == 0 || len(ending) > blockBytes {
		panic("manyhash: a context or an ending of no length that is provided for")
	}
	return &Hasher{key: chunkOf(initial, []byte(context), 0, deriveContext, root), ending: ending}
}

// Sum sets the hashes of up to Lanes messages that lie one behind the other in src, size
// bytes each, a multiple of ChunkBytes and not zero, without their endings.
func (h *Hasher) Sum(dst [][32]byte, src []byte, size int) {
	if len(dst) == 0 || len(dst) > Lanes || size <= 0 || size%ChunkBytes != 0 || len(src) < len(dst)*size {
		panic("manyhash: messages of no length that is provided for")
	}
	depth, chunks := 0, size/ChunkBytes
	for k := range chunks {
		h.chunk.set(h.key)
		hashChunk(&h.chunk, src[k*ChunkBytes:], len(dst), size, uint64(k), deriveMaterial)
		// A chunk completes as many subtrees as its number ends in ones.
		for range bits.TrailingZeros(uint(k + 1)) {
			depth--
			h.join(&h.stack[depth], &h.chunk, 0)
		}
		h.stack[depth] = h.chunk
		depth++
	}
	h.chunk.set(chunkOf(h.key, h.ending, uint64(chunks), deriveMaterial, 0))
	for depth--; depth >= 0; depth-- {
		flags := uint32(0)
		if depth == 0 {
			flags = root
		}
		h.join(&h.stack[depth], &h.chunk, flags)
	}
	for l := range dst {
		for w := range h.chunk {
			x := h.chunk[w][l]
			dst[l][4*w], dst[l][4*w+1], dst[l][4*w+2], dst[l][4*w+3] = byte(x), byte(x>>8), byte(x>>16), byte(x>>24)
		}
	}
}

// join sets right to the parent of left and right.
func (h *Hasher) join(left, right *lanes, flags uint32) {
	hashParent(right, left, &h.key, flags|parent|deriveMaterial)
}

// set gives all messages one chaining value.
func (l *lanes) set(v [8]uint32) {
	for w := range l {
		for i := range l[w] {
			l[w][i] = v[w]
		}
	}
}

// chunkOf is the chaining value of one chunk; last is added to the flags of its last
// block.
func chunkOf(key [8]uint32, src []byte, number uint64, mode, last uint32) [8]uint32 {
	cv, flags := key, mode|chunkStart
	for {
		n := min(len(src), blockBytes)
		if n == len(src) {
			flags |= chunkEnd | last
		}
		var block [blockBytes]byte
		copy(block[:], src[:n])
		compress(&cv, words(&block), number, uint32(n), flags)
		if src, flags = src[n:], mode; len(src) == 0 {
			return cv
		}
	}
}

// words are those of a block.
func words(b *[blockBytes]byte) (m [16]uint32) {
	for i := range m {
		m[i] = uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24
	}
	return m
}
