//go:build !purego

package index

import "github.com/weightprint/weightprint/internal/simd"

//go:noescape
func compareAVX512(t *turned, s *sought, out *apart)

var vectors = simd.AVX512Popcount

// compare holds the keys of a block against what is asked.
func (b *block) compare(a *asked, s *sought, out *apart) {
	if b.side != nil {
		compareAVX512(b.side, s, out)
	} else {
		b.comparePlain(a, s, out)
	}
}
