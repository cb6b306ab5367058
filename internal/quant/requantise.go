package quant

import "math"

// Requantiser writes the blocks that ggml's quantiser gives for a whole row,
// with the importance of each column, or nil for none (ggml-quants.c,
// quantize_*). dst takes the row's blocks. Arithmetic is that of a build without
// fused multiply-add; one with them decides otherwise where two choices tie.
type Requantiser func(dst []byte, row, importance []float32)

// Requantisers holds the rule of every type that has one, by name.
var Requantisers = map[string]Requantiser{
	"F16":     plain(EncodeF16),
	"BF16":    plain(EncodeBF16),
	"F8_E4M3": plain(EncodeF8E4M3),
	"F8_E5M2": plain(EncodeF8E5M2),
	"Q1_0":    plain(encodeQ1_0),
	"Q2_0":    plain(encodeQ2_0),
	"Q8_0":    plain(EncodeQ8_0),
	"TQ1_0":   plain(encodeTQ1_0),
	"TQ2_0":   plain(encodeTQ2_0),
	"MXFP4":   plain(encodeMXFP4),
	"NVFP4":   plain(encodeNVFP4),
	"Q4_0":    weighed(EncodeQ4_0, impQ4_0),
	"Q4_1":    weighed(EncodeQ4_1, impQ4_1),
	"Q5_0":    weighed(EncodeQ5_0, impQ5_0),
	"Q5_1":    weighed(EncodeQ5_1, impQ5_1),
	"Q2_K":    byBlock(84, encodeQ2K),
	"Q3_K":    byBlock(110, encodeQ3K),
	"Q4_K":    byBlock(144, encodeQ4K),
	"Q5_K":    byBlock(176, encodeQ5K),
	"Q6_K":    byBlock(210, encodeQ6K),
	"IQ4_NL":  encodeIQ4NL,
	"IQ4_XS":  byBlock(136, encodeIQ4XS),
}

// plain serves rules that no importance changes.
func plain(encode func([]byte, []float32)) Requantiser {
	return func(dst []byte, row, _ []float32) { encode(dst, row) }
}

// weighed takes one rule without importance and another with it.
func weighed(without func([]byte, []float32), with Requantiser) Requantiser {
	return func(dst []byte, row, importance []float32) {
		if importance == nil {
			without(dst, row)
			return
		}
		with(dst, row, importance)
	}
}

// byBlock serves rules that look at one block of 256 values at a time.
func byBlock(size int, encode func(dst []byte, x, importance []float32)) Requantiser {
	return func(dst []byte, row, importance []float32) {
		for ; len(row) >= 256; dst, row = dst[size:], row[256:] {
			if importance == nil {
				encode(dst[:size], row[:256], nil)
				continue
			}
			encode(dst[:size], row[:256], importance[:256])
			importance = importance[256:]
		}
	}
}

// power is the sum of squares.
func power(x []float32) (sum float32) {
	for _, v := range x {
		sum += float32(v * v)
	}
	return sum
}

// weigh gives w = importance · √(σ² + x²).
func weigh(w, importance, x []float32, sigma2 float32) {
	for i, v := range x {
		w[i] = importance[i] * sqrt32(sigma2+float32(v*v))
	}
}

func total(w []float32) (sum float32) {
	for _, v := range w {
		sum += v
	}
	return sum
}

// forBlocks32 walks the blocks of 32 of a row with the weights of its values.
func forBlocks32(row, importance []float32, each func(i int, x, w []float32)) {
	sigma2 := float32(power(row) / float32(len(row)))
	var w [32]float32
	for i := 0; 32*i < len(row); i++ {
		x := row[32*i:][:32]
		weigh(w[:], importance[32*i:], x, sigma2)
		each(i, x, w[:])
	}
}

func impQ4_0(dst []byte, row, importance []float32) {
	forBlocks32(row, importance, func(i int, x, w []float32) {
		var l [32]uint8
		b := dst[18*i:][:18]
		putHalf(b, fitSigned(8, x, w, l[:]))
		nibble(b[2:], l[:])
	})
}

func impQ5_0(dst []byte, row, importance []float32) {
	forBlocks32(row, importance, func(i int, x, w []float32) {
		var l [32]uint8
		b := dst[22*i:][:22]
		putHalf(b, fitSigned(16, x, w, l[:]))
		fifth(b[2:], l[:])
	})
}

// Searches of the types with a minimum that are given importance.
var (
	important4 = affine{15, -0.9, 0.05, 36, false}
	important5 = affine{31, -0.9, 0.05, 36, false}
	important2 = affine{3, -0.9, 0.05, 36, false}
)

func impQ4_1(dst []byte, row, importance []float32) {
	forBlocks32(row, importance, func(i int, x, w []float32) {
		var l [32]uint8
		b := dst[20*i:][:20]
		scale, minimum := important4.fit(x, w, l[:])
		putHalf(b, scale)
		putHalf(b[2:], -minimum)
		nibble(b[4:], l[:])
	})
}

func impQ5_1(dst []byte, row, importance []float32) {
	forBlocks32(row, importance, func(i int, x, w []float32) {
		var l [32]uint8
		b := dst[24*i:][:24]
		scale, minimum := important5.fit(x, w, l[:])
		putHalf(b, scale)
		putHalf(b[2:], -minimum)
		fifth(b[4:], l[:])
	})
}

// nibble packs 32 codes of four bits, the first half low.
func nibble(dst []byte, l []uint8) {
	for j := range 16 {
		dst[j] = l[j] | l[j+16]<<4
	}
}

// fifth packs 32 codes of five bits: the fifth bits first, then nibbles.
func fifth(dst []byte, l []uint8) {
	var x [32]float32
	for i := range x {
		x[i] = float32(l[i])
	}
	five(dst, x[:], func(v float32) byte { return byte(v) })
}

// encodeQ1_0 stores signs and the mean size.
func encodeQ1_0(dst []byte, src []float32) {
	for ; len(src) >= 128; dst, src = dst[18:], src[128:] {
		clear(dst[2:18])
		var sum float32
		for j, v := range src[:128] {
			sum += abs(v)
			if v >= 0 {
				dst[2+j/8] |= 1 << (j % 8)
			}
		}
		putHalf(dst, sum/128)
	}
}

// encodeQ2_0 stores −1, 0, 1 times the largest size.
func encodeQ2_0(dst []byte, src []float32) {
	for ; len(src) >= 64; dst, src = dst[18:], src[64:] {
		_, size := farthest(src[:64])
		id := inverse(size)
		putHalf(dst, size)
		clear(dst[2:18])
		for j, v := range src[:64] {
			dst[2+j/4] |= byte(within(int(math.Round(float64(float32(v*id))))+1, 0, 3)) << (2 * (j % 4))
		}
	}
}
