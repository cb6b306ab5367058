//go:build !purego

package quant

import "github.com/weightprint/weightprint/internal/simd"

func scaledRuns(dst []float32, code []byte, scale []float32, run, stride, bias int) {
	if !simd.AVX2 || run%16 != 0 {
		scaledRunsPlain(dst, code, scale, run, stride, bias)
		return
	}
	scaledAVX2(&dst[0], &code[0], &scale[0], len(scale), run, stride, bias)
}

func affineRuns(dst []float32, code []byte, scale, less []float32, run int) {
	if !simd.AVX2 || run%16 != 0 {
		affineRunsPlain(dst, code, scale, less, run)
		return
	}
	affineAVX2(&dst[0], &code[0], &scale[0], &less[0], len(scale), run)
}

func nibbleRuns(dst []float32, code []byte, by []float32, stride, bias int) {
	if !simd.AVX2 {
		nibbleRunsPlain(dst, code, by, stride, bias)
		return
	}
	nibblesAVX2(&dst[0], &code[0], &by[0], len(by)/2, stride, bias)
}

func fiveBitRuns(dst *[256]float32, code *[128]byte, fifth *[32]byte, scale, less *[16]float32) {
	if !simd.AVX2 {
		fiveBitRunsPlain(dst, code, fifth, scale, less)
		return
	}
	fiveBitsAVX2(&dst[0], &code[0], &fifth[0], &scale[0], &less[0])
}

// A cast works on sixteen values at a time and leaves the rest to plain Go.
const castAtOnce = 16

func halves(dst []float32, src []byte) {
	done := 0
	if n := len(dst) / castAtOnce * castAtOnce; simd.AVX2 && n > 0 {
		halvesAVX2(&dst[0], &src[:2*n][0], n)
		done = n
	}
	halvesPlain(dst[done:], src[2*done:])
}

func bfloats(dst []float32, src []byte) {
	done := 0
	if n := len(dst) / castAtOnce * castAtOnce; simd.AVX2 && n > 0 {
		bfloatsAVX2(&dst[0], &src[:2*n][0], n)
		done = n
	}
	bfloatsPlain(dst[done:], src[2*done:])
}

func floats(dst []float32, src []byte) {
	done := 0
	if n := len(dst) / castAtOnce * castAtOnce; simd.AVX2 && n > 0 {
		floatsAVX2(&dst[0], &src[:4*n][0], n)
		done = n
	}
	floatsPlain(dst[done:], src[4*done:])
}

// scaledAVX2 reads runs × run codes, run a multiple of 16, and as many scales as
// there are runs.
//
//go:noescape
func scaledAVX2(dst *float32, code *byte, scale *float32, runs, run, stride, bias int)

//go:noescape
func affineAVX2(dst *float32, code *byte, scale, less *float32, runs, run int)

//go:noescape
func nibblesAVX2(dst *float32, code *byte, by *float32, blocks, stride, bias int)

//go:noescape
func fiveBitsAVX2(dst *float32, code, fifth *byte, scale, less *float32)

// The casts read n values, a multiple of 16.
//
//go:noescape
func halvesAVX2(dst *float32, src *byte, n int)

//go:noescape
func bfloatsAVX2(dst *float32, src *byte, n int)

//go:noescape
func floatsAVX2(dst *float32, src *byte, n int)
