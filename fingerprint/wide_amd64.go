//go:build !purego

package fingerprint

import "github.com/weightprint/weightprint/internal/simd"

// ordinaryHalves counts leading bytes that are known to hold no NaN: all whole blocks of
// them, or none where one of these holds a bfloat16 value that is not finite.
func ordinaryHalves(raw []byte) int {
	const block = 64
	n := len(raw) &^ (block - 1)
	if !simd.AVX2 || n == 0 || notFiniteAVX2(&raw[0], n) {
		return 0
	}
	return n
}

// notFiniteAVX2 tells whether among n bytes, a multiple of 64 that is not zero, a
// bfloat16 value has all bits of its exponent set.
//
//go:noescape
func notFiniteAVX2(raw *byte, n int) bool

// combine adds values with signs that bits flip.
func combine(sums *[atOnce]float64, x []float64, flips [][atOnce]uint64) {
	if !simd.AVX2 || len(x) == 0 {
		combinePlain(sums, x, flips)
		return
	}
	_ = flips[(len(x)-1)/64]
	combineAVX2(sums, &x[0], len(x), &flips[0])
}

//go:noescape
func combineAVX2(sums *[atOnce]float64, x *float64, n int, flips *[atOnce]uint64)
