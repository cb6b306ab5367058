package quant

// Block layouts of ggml's k-quants: 256 values in sub-blocks whose scales are
// themselves quantised (ggml-quants.c, dequantize_row_q*_K).
var (
	FieldsQ2K = []Field{{80, 2}, {82, 2}}
	FieldsQ3K = []Field{{108, 2}}
	FieldsQ4K = []Field{{0, 2}, {2, 2}}
	FieldsQ5K = []Field{{0, 2}, {2, 2}}
	FieldsQ6K = []Field{{208, 2}}
	FieldsQ8K = append([]Field{{0, 4}}, fields(260, 2, 16)...)
)

// Q2K decodes {u8 scales[16]; u8 qs[64]; f16 d, dmin}: sixteen sub-blocks of
// 16, q·(d·scale) − dmin·min.
func Q2K(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[84:] {
		b := src[:84]
		d, dmin := half(b[80:]), half(b[82:])
		for i, sc := range b[:16] {
			u.scale[i], u.less[i] = d*float32(sc&15), dmin*float32(sc>>4)
		}
		crumbs((*[128]byte)(u.of[:]), (*[32]byte)(b[16:]))
		crumbs((*[128]byte)(u.of[128:]), (*[32]byte)(b[48:]))
		scaleCodesLess(dst[:256], u.of[:], u.scale[:], u.less[:], 16)
	}
}

// scales3 unpacks the sixteen 6-bit scales of a Q3_K block, less 32.
func scales3(b []byte) (s [16]int) {
	for i := range s {
		low := b[i%8] >> (i / 8 * 4) & 15
		high := b[8+i%4] >> (i / 4 * 2) & 3
		s[i] = int(low|high<<4) - 32
	}
	return s
}

// Q3K decodes {u8 hmask[32]; u8 qs[64]; u8 scales[12]; f16 d}: the third bit
// of each value stands in hmask, and a clear bit means 4 less.
func Q3K(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[110:] {
		b := src[:110]
		d := half(b[108:])
		for i, sc := range scales3(b[96:108]) {
			u.scale[i] = d * float32(sc)
		}
		for n := range 2 {
			to := (*[128]byte)(u.of[128*n:])
			crumbs(to, (*[32]byte)(b[32+32*n:]))
			for i := 0; i < 32; i += 8 {
				h := u64(b[i:]) >> (4 * n)
				for k := range 4 {
					c := to[32*k+i:][:8]
					put64(c, u64(c)|h>>k&ones<<2)
				}
			}
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 16, 16, 4)
	}
}

// scaleMin4 unpacks scale and minimum number j of a Q4_K or Q5_K block.
func scaleMin4(j int, q []byte) (sc, m byte) {
	if j < 4 {
		return q[j] & 63, q[j+4] & 63
	}
	return q[j+4]&15 | q[j-4]>>6<<4, q[j+4]>>4 | q[j]>>6<<4
}

// scaleMins sets scale and minimum of the eight sub-blocks of a Q4_K or Q5_K block,
// as scaleMin4 does, four at a time.
func (u *unpacked) scaleMins(b *[16]byte) {
	d, dmin := half(b[:]), half(b[2:])
	first, second, third := u32(b[4:]), u32(b[8:]), u32(b[12:])
	u.four(0, d, dmin, first&0x3f3f3f3f, second&0x3f3f3f3f)
	u.four(4, d, dmin, third&0x0f0f0f0f|first>>2&0x30303030, third>>4&0x0f0f0f0f|second>>2&0x30303030)
}

// four sets four scales and minima from the bytes of two words.
func (u *unpacked) four(at int, d, dmin float32, sc, m uint32) {
	scale, less := u.scale[at:][:4], u.less[at:][:4]
	for i := range 4 {
		scale[i], less[i] = d*float32(sc>>(8*i)&255), dmin*float32(m>>(8*i)&255)
	}
}

// Q4K decodes {f16 d, dmin; u8 scales[12]; u8 qs[128]}: eight sub-blocks of
// 32, q·(d·scale) − dmin·min.
func Q4K(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[144:] {
		b := src[:144]
		u.scaleMins((*[16]byte)(b))
		fiveBitRuns((*[256]float32)(dst), (*[128]byte)(b[16:]), &noFifth, &u.scale, &u.less)
	}
}

// Q5K decodes {f16 d, dmin; u8 scales[12]; u8 qh[32]; u8 qs[128]}: as Q4K
// with the fifth bits in qh.
func Q5K(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[176:] {
		b := src[:176]
		u.scaleMins((*[16]byte)(b))
		fiveBitRuns((*[256]float32)(dst), (*[128]byte)(b[48:]), (*[32]byte)(b[16:]), &u.scale, &u.less)
	}
}

// Q6K decodes {u8 ql[128]; u8 qh[64]; i8 scales[16]; f16 d}: (q−32)·(d·scale).
func Q6K(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[210:] {
		b := src[:210]
		d := half(b[208:])
		for i, sc := range b[192:208] {
			u.scale[i] = d * float32(int8(sc))
		}
		for n := range 2 {
			to, ql, qh := (*[128]byte)(u.of[128*n:]), b[64*n:][:64], b[128+32*n:][:32]
			for i := 0; i < 32; i += 8 {
				x, y, h := u64(ql[i:]), u64(ql[i+32:]), u64(qh[i:])
				put64(to[i:], x&(15*ones)|h&(3*ones)<<4)
				put64(to[i+32:], y&(15*ones)|h>>2&(3*ones)<<4)
				put64(to[i+64:], x>>4&(15*ones)|h>>4&(3*ones)<<4)
				put64(to[i+96:], y>>4&(15*ones)|h>>6&(3*ones)<<4)
			}
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 16, 16, 32)
	}
}

// Q8K decodes {f32 d; i8 qs[256]; i16 bsums[16]}: q·d; the sums are not
// needed.
func Q8K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[292:] {
		d := [1]float32{fromBits(u32(src))}
		scaleCodes(dst[:256], src[4:260], d[:], 256, 256, 0)
	}
}
