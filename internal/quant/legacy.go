package quant

// Block layouts of ggml's first types: 32 values that share a half-precision
// scale d, and in the _1 types a minimum m (ggml-quants.c, dequantize_row_*).
var (
	FieldsQ4_0 = []Field{{0, 2}}
	FieldsQ4_1 = []Field{{0, 2}, {2, 2}}
	FieldsQ5_0 = []Field{{0, 2}, {2, 4}}
	FieldsQ5_1 = []Field{{0, 2}, {2, 2}, {4, 4}}
	FieldsQ8_0 = []Field{{0, 2}}
	FieldsQ8_1 = []Field{{0, 2}, {2, 2}}
)

// gather widens two neighbouring numbers in half precision of each of n blocks, of
// which some bits are kept and some flipped.
func gather(to *[2 * blocksAtOnce]float32, src []byte, n, size int, keep, flip uint32) {
	var raw [4 * blocksAtOnce]byte
	for i := range min(n, blocksAtOnce) {
		put32(raw[4*i:], u32(src[i*size:])&keep^flip)
	}
	halves(to[:], raw[:])
}

// Q4_0 decodes {f16 d; u8 qs[16]}: (q−8)·d, low nibbles first.
func Q4_0(dst []float32, src []byte) {
	var by [2 * blocksAtOnce]float32
	for len(dst) >= 32 {
		n := min(len(dst)/32, blocksAtOnce)
		gather(&by, src, n, 18, 0xffff, 0)
		scaleNibbles(dst[:32*n], src[2:], by[:], 18, 8)
		dst, src = dst[32*n:], src[18*n:]
	}
}

// Q4_1 decodes {f16 d, m; u8 qs[16]}: q·d + m.
func Q4_1(dst []float32, src []byte) {
	var by [2 * blocksAtOnce]float32
	for len(dst) >= 32 {
		n := min(len(dst)/32, blocksAtOnce)
		gather(&by, src, n, 20, 0xffffffff, 1<<31)
		scaleNibbles(dst[:32*n], src[4:], by[:], 20, 0)
		dst, src = dst[32*n:], src[20*n:]
	}
}

// unpackedAtOnce are the blocks of 32 values whose codes are unpacked before a kernel
// runs, and blocksAtOnce those whose scales are read.
const unpackedAtOnce, blocksAtOnce = 8, 16

// fifths unpacks codes of five bits: nibbles, whose fifth bits stand in h.
func fifths(to, h, qs []byte) {
	to, h, qs = to[:32], h[:4], qs[:16]
	for i := range 2 {
		w := u64(qs[8*i:])
		put64(to[8*i:], w&(15*ones)|spread[h[i]]<<4)
		put64(to[8*i+16:], w>>4&(15*ones)|spread[h[i+2]]<<4)
	}
}

// Q5_0 decodes {f16 d; u32 qh; u8 qs[16]}: (q−16)·d with the fifth bits in qh.
func Q5_0(dst []float32, src []byte) {
	var u unpacked
	for len(dst) >= 32 {
		n := min(len(dst)/32, unpackedAtOnce)
		for i := range n {
			b := src[22*i:][:22]
			u.scale[i] = half(b)
			fifths(u.of[32*i:], b[2:], b[6:])
		}
		scaleCodes(dst[:32*n], u.of[:], u.scale[:], 32, 32, 16)
		dst, src = dst[32*n:], src[22*n:]
	}
}

// Q5_1 decodes {f16 d, m; u32 qh; u8 qs[16]}: q·d + m.
func Q5_1(dst []float32, src []byte) {
	var u unpacked
	for len(dst) >= 32 {
		n := min(len(dst)/32, unpackedAtOnce)
		for i := range n {
			b := src[24*i:][:24]
			u.scale[i], u.less[i] = half(b), -half(b[2:])
			fifths(u.of[32*i:], b[4:], b[8:])
		}
		scaleCodesLess(dst[:32*n], u.of[:], u.scale[:], u.less[:], 32)
		dst, src = dst[32*n:], src[24*n:]
	}
}

// Q8_0 decodes {f16 d; i8 qs[32]}: q·d.
func Q8_0(dst []float32, src []byte) { wholeBytes(dst, src, 34, 2) }

// Q8_1 decodes {f16 d, s; i8 qs[32]}: q·d; s, the sum of the block, is not
// needed.
func Q8_1(dst []float32, src []byte) { wholeBytes(dst, src, 36, 4) }

// wholeBytes decodes blocks of 32 bytes from an offset on, under a scale in half
// precision.
func wholeBytes(dst []float32, src []byte, size, at int) {
	var d [blocksAtOnce]float32
	for len(dst) >= 32 {
		n := min(len(dst)/32, len(d))
		for i := range n {
			d[i] = half(src[size*i:])
		}
		scaleCodes(dst[:32*n], src[at:], d[:], 32, size, 0)
		dst, src = dst[32*n:], src[size*n:]
	}
}

// Q1_0 decodes {f16 d; u8 qs[16]}: 128 values, d where the bit is set and −d
// where it is not.
func Q1_0(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 128; dst, src = dst[128:], src[18:] {
		u.scale[0] = half(src)
		for i, q := range src[2:18] {
			put64(u.of[8*i:], spread[q]<<1)
		}
		scaleCodes(dst[:128], u.of[:], u.scale[:], 128, 128, 1)
	}
}

// Q2_0 decodes {f16 d; u8 qs[16]}: 64 values of {−1, 0, 1, 2}·d.
func Q2_0(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 64; dst, src = dst[64:], src[18:] {
		u.scale[0] = half(src)
		for i, q := range src[2:18] {
			w := uint32(q)
			w = (w | w<<12) & 0x000f000f
			put32(u.of[4*i:], (w|w<<6)&0x03030303)
		}
		scaleCodes(dst[:64], u.of[:], u.scale[:], 64, 64, 1)
	}
}

// The bits of these types come in bytes; only the scale has an order.
var (
	FieldsQ1_0 = []Field{{0, 2}}
	FieldsQ2_0 = []Field{{0, 2}}
)
