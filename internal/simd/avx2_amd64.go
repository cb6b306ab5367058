//go:build !purego

package simd

//go:noescape
func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

//go:noescape
func xgetbv() (low uint32)

// What the processor has and the system keeps registers for (Intel, Software
// Developer's Manual, volume 1, 14.7.1 and 15.2). AVX512 stands for the foundation with
// its instructions for bytes, words and shorter vectors.
var AVX2, AVX512 = features()

func features() (avx2, avx512 bool) {
	const osxsave, avx = 1 << 27, 1 << 28
	const has2, has512 = 1 << 5, 1<<16 | 1<<17 | 1<<30 | 1<<31
	const keeps2, keeps512 = 0x6, 0xe6
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false, false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&osxsave == 0 || c&avx == 0 {
		return false, false
	}
	kept := xgetbv()
	_, b, _, _ := cpuid(7, 0)
	avx2 = kept&keeps2 == keeps2 && b&has2 != 0
	return avx2, avx2 && kept&keeps512 == keeps512 && b&has512 == has512
}
