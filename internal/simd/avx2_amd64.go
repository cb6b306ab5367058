//go:build !purego

package simd

//go:noescape
func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

//go:noescape
func xgetbv() (low uint32)

// AVX2 tells whether the processor has AVX2 and the system keeps its registers
// (Intel, Software Developer's Manual, volume 1, 14.7.1).
var AVX2 = func() bool {
	const osxsave, avx, avx2, registers = 1 << 27, 1 << 28, 1 << 5, 6
	most, _, _, _ := cpuid(0, 0)
	if most < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&osxsave == 0 || c&avx == 0 || xgetbv()&registers != registers {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}()
