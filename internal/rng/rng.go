// Package rng derives every random choice from a seed and a purpose, through
// the BLAKE3 extendable output, so that the same inputs give the same choices
// on every machine and no two purposes share a stream.
package rng

import (
	"encoding/binary"

	"github.com/zeebo/blake3"
)

// context names this use of BLAKE3's key derivation; it never changes within
// a major version.
const context = "weightprint v1 random stream"

// Stream is a deterministic source of uniform bits. It is not safe for
// concurrent use.
type Stream struct {
	digest *blake3.Digest
	buf    [512]byte
	left   []byte
}

// New returns the stream of a seed for a purpose.
func New(seed []byte, purpose string) *Stream {
	h := blake3.NewDeriveKey(context)
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(seed)))
	h.Write(n[:]) // so that no seed is the beginning of another with its purpose
	h.Write(seed)
	h.WriteString(purpose)
	return &Stream{digest: h.Digest()}
}

// Uint64 returns 64 uniform bits.
func (s *Stream) Uint64() uint64 {
	if len(s.left) < 8 {
		s.digest.Read(s.buf[:])
		s.left = s.buf[:]
	}
	v := binary.LittleEndian.Uint64(s.left)
	s.left = s.left[8:]
	return v
}

// IntN returns a uniform number in [0, n), n > 0, without bias: values beyond
// the last whole multiple of n are drawn again.
func (s *Stream) IntN(n int) int {
	limit := -uint64(n) % uint64(n) // 2^64 mod n
	for {
		if v := s.Uint64(); v >= limit {
			return int(v % uint64(n))
		}
	}
}

// Perm returns a uniform permutation of 0 … n-1.
func (s *Stream) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}

// Sample returns m distinct numbers of 0 … n-1 in ascending order, uniform
// over all such sets (Floyd's method). It returns all n when m ≥ n.
func (s *Stream) Sample(n, m int) []int {
	in := make([]bool, n)
	for j := max(0, n-m); j < n; j++ {
		if t := s.IntN(j + 1); !in[t] {
			in[t] = true
		} else {
			in[j] = true
		}
	}
	out := make([]int, 0, min(m, n))
	for i, ok := range in {
		if ok {
			out = append(out, i)
		}
	}
	return out
}
