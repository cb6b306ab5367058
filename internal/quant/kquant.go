package quant

import "math"

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
	for ; len(dst) >= 256; dst, src = dst[256:], src[84:] {
		scales, qs := src[:16], src[16:80]
		d, dmin := half(src[80:]), half(src[82:])
		for i, sc := range scales {
			dl, ml := d*float32(sc&15), float32(dmin*float32(sc>>4))
			shift := i % 8 / 2 * 2
			q, y := qs[i/8*32+i%2*16:][:16], dst[i*16:][:16]
			for l, b := range q {
				y[l] = float32(dl*float32(b>>shift&3)) - ml
			}
		}
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
	for ; len(dst) >= 256; dst, src = dst[256:], src[110:] {
		hmask, qs, scales, d := src[:32], src[32:96], scales3(src[96:108]), half(src[108:])
		for i, sc := range scales {
			dl := d * float32(sc)
			shift, bit := i%8/2*2, byte(1)<<(i/8*4+i%8/2)
			q, h, y := qs[i/8*32+i%2*16:][:16], hmask[i%2*16:][:16], dst[i*16:][:16]
			for l, b := range q {
				v := int(b >> shift & 3)
				if h[l]&bit == 0 {
					v -= 4
				}
				y[l] = dl * float32(v)
			}
		}
	}
}

// scaleMin4 unpacks scale and minimum number j of a Q4_K or Q5_K block.
func scaleMin4(j int, q []byte) (sc, m byte) {
	if j < 4 {
		return q[j] & 63, q[j+4] & 63
	}
	return q[j+4]&15 | q[j-4]>>6<<4, q[j+4]>>4 | q[j]>>6<<4
}

// Q4K decodes {f16 d, dmin; u8 scales[12]; u8 qs[128]}: eight sub-blocks of
// 32, q·(d·scale) − dmin·min.
func Q4K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[144:] {
		d, dmin, scales, qs := half(src), half(src[2:]), src[4:16], src[16:144]
		for j := range 4 {
			s0, m0 := scaleMin4(2*j, scales)
			s1, m1 := scaleMin4(2*j+1, scales)
			d0, n0, d1, n1 := d*float32(s0), float32(dmin*float32(m0)), d*float32(s1), float32(dmin*float32(m1))
			q, lo, hi := qs[32*j:][:32], dst[64*j:][:32], dst[64*j+32:][:32]
			for l, b := range q {
				lo[l] = float32(d0*float32(b&15)) - n0
				hi[l] = float32(d1*float32(b>>4)) - n1
			}
		}
	}
}

// Q5K decodes {f16 d, dmin; u8 scales[12]; u8 qh[32]; u8 qs[128]}: as Q4K
// with the fifth bits in qh.
func Q5K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[176:] {
		d, dmin, scales, qh, qs := half(src), half(src[2:]), src[4:16], src[16:48], src[48:176]
		for j := range 4 {
			s0, m0 := scaleMin4(2*j, scales)
			s1, m1 := scaleMin4(2*j+1, scales)
			d0, n0, d1, n1 := d*float32(s0), float32(dmin*float32(m0)), d*float32(s1), float32(dmin*float32(m1))
			q, h, lo, hi := qs[32*j:][:32], qh[:32], dst[64*j:][:32], dst[64*j+32:][:32]
			for l, b := range q {
				lo[l] = float32(d0*float32(b&15|h[l]>>(2*j)&1<<4)) - n0
				hi[l] = float32(d1*float32(b>>4|h[l]>>(2*j+1)&1<<4)) - n1
			}
		}
	}
}

// Q6K decodes {u8 ql[128]; u8 qh[64]; i8 scales[16]; f16 d}: (q−32)·(d·scale).
func Q6K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[210:] {
		d := half(src[208:])
		var dl [16]float32
		for i, sc := range src[192:208] {
			dl[i] = d * float32(int8(sc))
		}
		for n := range 2 {
			ql, qh, y := src[64*n:][:64], src[128+32*n:][:32], dst[128*n:][:128]
			s := dl[8*n:][:8]
			for l, h := range qh {
				is := l / 16
				a, b := ql[l], ql[l+32]
				y[l] = s[is] * float32(int(a&15|h&3<<4)-32)
				y[l+32] = s[is+2] * float32(int(b&15|h>>2&3<<4)-32)
				y[l+64] = s[is+4] * float32(int(a>>4|h>>4&3<<4)-32)
				y[l+96] = s[is+6] * float32(int(b>>4|h>>6&3<<4)-32)
			}
		}
	}
}

// Q8K decodes {f32 d; i8 qs[256]; i16 bsums[16]}: q·d; the sums are not
// needed.
func Q8K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[292:] {
		d, qs, y := math.Float32frombits(u32(src)), src[4:260], dst[:256]
		for j, q := range qs {
			y[j] = float32(int8(q)) * d
		}
	}
}
