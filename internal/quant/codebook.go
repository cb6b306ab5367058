package quant

// Types whose codes index a small table, or are ternary.
var (
	FieldsIQ4NL = []Field{{0, 2}}
	FieldsIQ4XS = []Field{{0, 2}, {2, 2}}
	FieldsTQ1_0 = []Field{{52, 2}}
	FieldsTQ2_0 = []Field{{64, 2}}
)

// nonLinear is the code book of IQ4_NL and IQ4_XS (ggml-common.h).
var nonLinear = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// twiceE2M1 is the code book of the FP4 types, doubled so that it is whole.
var twiceE2M1 = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// IQ4NL decodes {f16 d; u8 qs[16]}: 32 values.
func IQ4NL(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[18:] {
		d, qs, y := half(src), src[2:18], dst[:32]
		for j, q := range qs {
			y[j], y[j+16] = d*nonLinear[q&15], d*nonLinear[q>>4]
		}
	}
}

// scale4 is the scale of sub-block ib of an IQ4_XS block, less 32.
func scale4(ib int, src []byte) int {
	low := src[4+ib/2] >> (4 * (ib % 2)) & 15
	high := u16(src[2:]) >> (2 * ib) & 3
	return int(uint16(low)|high<<4) - 32
}

// IQ4XS decodes {f16 d; u16 scales_h; u8 scales_l[4]; u8 qs[128]}: eight
// sub-blocks of 32.
func IQ4XS(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[136:] {
		d := half(src)
		for ib := range 8 {
			dl := d * float32(scale4(ib, src))
			qs, y := src[8+16*ib:][:16], dst[32*ib:][:32]
			for j, q := range qs {
				y[j], y[j+16] = dl*nonLinear[q&15], dl*nonLinear[q>>4]
			}
		}
	}
}

// MXFP4 decodes {u8 e; u8 qs[16]}: 32 values of E2M1 times 2^(e−127).
func MXFP4(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[17:] {
		d, qs, y := halfE8M0(src[0]), src[1:17], dst[:32]
		for j, q := range qs {
			y[j], y[j+16] = d*twiceE2M1[q&15], d*twiceE2M1[q>>4]
		}
	}
}

// halfE8M0 is 2^(e−128), half of what the byte means, to go with the doubled
// code book. 255 is no NaN here: ggml computes the power all the same.
func halfE8M0(e byte) float32 {
	if e < 2 {
		return fromBits(0x00200000 << e)
	}
	return fromBits(uint32(e-1) << 23)
}

// NVFP4 decodes {u8 d[4]; u8 qs[32]}: four sub-blocks of 16 values of E2M1,
// each with an unsigned E4M3 scale. A factor for the whole tensor is stored
// apart.
func NVFP4(dst []float32, src []byte) {
	for ; len(dst) >= 64; dst, src = dst[64:], src[36:] {
		for s := range 4 {
			d := halfUE4M3(src[s])
			qs, y := src[4+8*s:][:8], dst[16*s:][:16]
			for j, q := range qs {
				y[j], y[j+8] = d*twiceE2M1[q&15], d*twiceE2M1[q>>4]
			}
		}
	}
}

// halfUE4M3 is half of an unsigned E4M3 number; the NaN pattern counts as 0.
func halfUE4M3(b byte) float32 {
	if b == 0 || b == 0x7f {
		return 0
	}
	exp, man := int(b>>3&15), float32(b&7)
	if exp == 0 {
		return man * 0x1p-9 * 0.5
	}
	return fromBits(uint32(exp-7+127)<<23) * (1 + float32(man/8)) * 0.5
}

// ternary holds eight fractions in base 3, in lanes of 16 bits.
type ternary struct{ even, odd uint64 }

func ternaryOf(w uint64) ternary {
	return ternary{w & 0x00ff00ff00ff00ff, w >> 8 & 0x00ff00ff00ff00ff}
}

// digit takes the next digit of each.
func (t ternary) digit() (uint64, ternary) {
	even, odd := 3*t.even, 3*t.odd
	return even>>8&0x0003000300030003 | odd&0x0300030003000300, ternary{even & 0x00ff00ff00ff00ff, odd & 0x00ff00ff00ff00ff}
}

// TQ1_0 decodes {u8 qs[48]; u8 qh[4]; f16 d}: ternary values, five to a byte
// as digits of a fraction in base 3, and four to a byte in qh.
func TQ1_0(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[54:] {
		b := src[:54]
		u.scale[0] = half(b[52:])
		for i := 0; i < 32; i += 8 {
			t, c, w := ternaryOf(u64(b[i:])), (*[136]byte)(u.of[i:]), uint64(0)
			for k := 0; k < 5*32; k += 32 {
				w, t = t.digit()
				put64(c[k:], w)
			}
		}
		for i := 0; i < 16; i += 8 {
			t, c, w := ternaryOf(u64(b[32+i:])), (*[72]byte)(u.of[160+i:]), uint64(0)
			for k := 0; k < 5*16; k += 16 {
				w, t = t.digit()
				put64(c[k:], w)
			}
		}
		t, w := ternaryOf(uint64(u32(b[48:]))), uint64(0)
		for k := 240; k < 256; k += 4 {
			w, t = t.digit()
			put32(u.of[k:], uint32(w))
		}
		scaleCodes(dst[:256], u.of[:], u.scale[:], 256, 256, 1)
	}
}

// TQ2_0 decodes {u8 qs[64]; f16 d}: ternary values, four to a byte.
func TQ2_0(dst []float32, src []byte) {
	var u unpacked
	for ; len(dst) >= 256; dst, src = dst[256:], src[66:] {
		b := src[:66]
		u.scale[0] = half(b[64:])
		crumbs((*[128]byte)(u.of[:]), (*[32]byte)(b))
		crumbs((*[128]byte)(u.of[128:]), (*[32]byte)(b[32:]))
		scaleCodes(dst[:256], u.of[:], u.scale[:], 256, 256, 1)
	}
}
