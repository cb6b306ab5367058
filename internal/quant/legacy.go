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

// Q4_0 decodes {f16 d; u8 qs[16]}: (q−8)·d, low nibbles first.
func Q4_0(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[18:] {
		d, qs, y := half(src), src[2:18], dst[:32]
		for j, q := range qs {
			y[j] = float32(int(q&15)-8) * d
			y[j+16] = float32(int(q>>4)-8) * d
		}
	}
}

// Q4_1 decodes {f16 d, m; u8 qs[16]}: q·d + m.
func Q4_1(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[20:] {
		d, m, qs, y := half(src), half(src[2:]), src[4:20], dst[:32]
		for j, q := range qs {
			y[j] = float32(float32(q&15)*d) + m
			y[j+16] = float32(float32(q>>4)*d) + m
		}
	}
}

// Q5_0 decodes {f16 d; u32 qh; u8 qs[16]}: (q−16)·d with the fifth bits in qh.
func Q5_0(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[22:] {
		d, qh, qs, y := half(src), u32(src[2:]), src[6:22], dst[:32]
		for j, q := range qs {
			y[j] = float32(int(uint32(q&15)|qh>>j<<4&16)-16) * d
			y[j+16] = float32(int(uint32(q>>4)|qh>>(j+12)&16)-16) * d
		}
	}
}

// Q5_1 decodes {f16 d, m; u32 qh; u8 qs[16]}: q·d + m.
func Q5_1(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[24:] {
		d, m, qh, qs, y := half(src), half(src[2:]), u32(src[4:]), src[8:24], dst[:32]
		for j, q := range qs {
			y[j] = float32(float32(uint32(q&15)|qh>>j<<4&16)*d) + m
			y[j+16] = float32(float32(uint32(q>>4)|qh>>(j+12)&16)*d) + m
		}
	}
}

// Q8_0 decodes {f16 d; i8 qs[32]}: q·d.
func Q8_0(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[34:] {
		d, qs, y := half(src), src[2:34], dst[:32]
		for j, q := range qs {
			y[j] = float32(int8(q)) * d
		}
	}
}

// Q8_1 decodes {f16 d, s; i8 qs[32]}: q·d; s, the sum of the block, is not
// needed.
func Q8_1(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[36:] {
		d, qs, y := half(src), src[4:36], dst[:32]
		for j, q := range qs {
			y[j] = float32(int8(q)) * d
		}
	}
}

// Q1_0 decodes {f16 d; u8 qs[16]}: 128 values, d where the bit is set and −d
// where it is not.
func Q1_0(dst []float32, src []byte) {
	for ; len(dst) >= 128; dst, src = dst[128:], src[18:] {
		d := half(src)
		for j := range 128 {
			if src[2+j/8]>>(j%8)&1 == 1 {
				dst[j] = d
			} else {
				dst[j] = -d
			}
		}
	}
}

// Q2_0 decodes {f16 d; u8 qs[16]}: 64 values of {−1, 0, 1, 2}·d.
func Q2_0(dst []float32, src []byte) {
	for ; len(dst) >= 64; dst, src = dst[64:], src[18:] {
		d := half(src)
		for j := range 64 {
			dst[j] = float32(int(src[2+j/4]>>(2*(j%4))&3)-1) * d
		}
	}
}

// The bits of these types come in bytes; only the scale has an order.
var (
	FieldsQ1_0 = []Field{{0, 2}}
	FieldsQ2_0 = []Field{{0, 2}}
)
