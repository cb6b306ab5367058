//go:build !purego

package simd

// AVX512Popcount tells whether the processor counts bits in vectors of 512 and the
// system keeps its registers: AVX-512 F, BW, VL, BITALG, VPOPCNTDQ (Intel, Software
// Developer's Manual, volume 1, 15.4).
var AVX512Popcount = func() bool {
	const registers = 0xe6 // XMM, YMM, masks, both halves of ZMM
	const f, bw, vl = 1 << 16, 1 << 30, 1 << 31
	const bitalg, vpopcntdq = 1 << 12, 1 << 14
	if !AVX2 || xgetbv()&registers != registers {
		return false
	}
	_, b, c, _ := cpuid(7, 0)
	return b&f != 0 && b&bw != 0 && b&vl != 0 && c&bitalg != 0 && c&vpopcntdq != 0
}()
