package manyhash

import (
	"math/bits"
)

// permutation is the order in which a round finds the words of the one before.
var permutation = [16]int{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}

const rounds = 7

// compress mixes a block into a chaining value.
func compress(cv *[8]uint32, m [16]uint32, number uint64, length, flags uint32) {
	var s [16]uint32
	copy(s[:], cv[:])
	copy(s[8:], initial[:4])
	s[12], s[13], s[14], s[15] = uint32(number), uint32(number>>32), length, flags
	for r := range rounds {
		mix(&s, 0, 4, 8, 12, m[0], m[1])
		mix(&s, 1, 5, 9, 13, m[2], m[3])
		mix(&s, 2, 6, 10, 14, m[4], m[5])
		mix(&s, 3, 7, 11, 15, m[6], m[7])
		mix(&s, 0, 5, 10, 15, m[8], m[9])
		mix(&s, 1, 6, 11, 12, m[10], m[11])
		mix(&s, 2, 7, 8, 13, m[12], m[13])
		mix(&s, 3, 4, 9, 14, m[14], m[15])
		if r < rounds-1 {
			var next [16]uint32
			for i, from := range permutation {
				next[i] = m[from]
			}
			m = next
		}
	}
	for i := range cv {
		cv[i] = s[i] ^ s[i+8]
	}
}

func mix(s *[16]uint32, a, b, c, d int, x, y uint32) {
	s[a] += s[b] + x
	s[d] = bits.RotateLeft32(s[d]^s[a], -16)
	s[c] += s[d]
	s[b] = bits.RotateLeft32(s[b]^s[c], -12)
	s[a] += s[b] + y
	s[d] = bits.RotateLeft32(s[d]^s[a], -8)
	s[c] += s[d]
	s[b] = bits.RotateLeft32(s[b]^s[c], -7)
}

// chunkPlain is hashChunk in plain Go.
func chunkPlain(cv *lanes, src []byte, messages, stride int, number uint64, mode uint32) {
	for l := range messages {
		v := chunkOf(cv.of(l), src[l*stride:][:ChunkBytes], number, mode, 0)
		cv.put(l, &v)
	}
}

// parentPlain is hashParent in plain Go.
func parentPlain(right, left *lanes, key *[8]uint32, flags uint32) {
	for l := range Lanes {
		var m [16]uint32
		a, b, v := left.of(l), right.of(l), *key
		copy(m[:], a[:])
		copy(m[8:], b[:])
		compress(&v, m, 0, blockBytes, flags)
		right.put(l, &v)
	}
}

// of is the chaining value of one message.
func (l *lanes) of(message int) (v [8]uint32) {
	for w := range v {
		v[w] = l[w][message]
	}
	return v
}

func (l *lanes) put(message int, v *[8]uint32) {
	for w, x := range v {
		l[w][message] = x
	}
}
