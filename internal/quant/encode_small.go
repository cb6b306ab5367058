package quant

import "math"

// trits gives 0, 1, 2 for values that round to −1, 0, 1 times the largest size.
func trits(dst *[256]byte, x []float32) (size float32) {
	_, size = farthest(x)
	id := inverse(size)
	for i, v := range x {
		dst[i] = byte(int(math.Round(float64(float32(v*id)))) + 1)
	}
	return size
}

// encodeTQ1_0 follows quantize_row_tq1_0_ref: five trits to a byte as a
// fraction of 243, rounded up.
func encodeTQ1_0(dst []byte, src []float32) {
	for ; len(src) >= 256; dst, src = dst[54:], src[256:] {
		var t [256]byte
		putHalf(dst[52:], trits(&t, src[:256]))
		at := 0
		for _, part := range []struct{ first, n, digits int }{{0, 32, 5}, {32, 16, 5}, {48, 4, 4}} {
			for m := range part.n {
				q := 0
				for n := range 5 {
					q *= 3
					if n < part.digits {
						q += int(t[at+n*part.n+m])
					}
				}
				dst[part.first+m] = byte((q*256 + 242) / 243)
			}
			at += part.n * part.digits
		}
	}
}

// encodeTQ2_0 follows quantize_row_tq2_0_ref: four trits to a byte.
func encodeTQ2_0(dst []byte, src []float32) {
	for ; len(src) >= 256; dst, src = dst[66:], src[256:] {
		var t [256]byte
		putHalf(dst[64:], trits(&t, src[:256]))
		for j := range 2 {
			for m := range 32 {
				q := t[128*j+m:]
				dst[32*j+m] = q[0] | q[32]<<2 | q[64]<<4 | q[96]<<6
			}
		}
	}
}

// nearestFP4 is the first of the codes of E2M1 whose value is nearest.
func nearestFP4(x, half float32) byte {
	best, at := abs(float32(twiceE2M1[0]*half)-x), 0
	for i, v := range twiceE2M1[1:] {
		if e := abs(float32(v*half) - x); e < best {
			best, at = e, i+1
		}
	}
	return byte(at)
}

// encodeMXFP4 follows quantize_row_mxfp4_ref: the power of two two below that
// of the largest size.
func encodeMXFP4(dst []byte, src []float32) {
	for ; len(src) >= 32; dst, src = dst[17:], src[32:] {
		_, size := farthest(src[:32])
		e := 0
		if size > 0 {
			_, e = math.Frexp(float64(size))
			e += 127 - 3
		}
		dst[0] = byte(e)
		half := halfE8M0(dst[0])
		for j := range 16 {
			dst[1+j] = nearestFP4(src[j], half) | nearestFP4(src[16+j], half)<<4
		}
	}
}

// encodeNVFP4 follows quantize_row_nvfp4_ref: a sixth of the largest size of
// each 16 values as unsigned E4M3.
func encodeNVFP4(dst []byte, src []float32) {
	for ; len(src) >= 64; dst, src = dst[36:], src[64:] {
		for s := range 4 {
			x := src[16*s:][:16]
			_, size := farthest(x)
			dst[s] = toUE4M3(size / 6)
			half := halfUE4M3(dst[s])
			for j := range 8 {
				dst[4+8*s+j] = nearestFP4(x[j], half) | nearestFP4(x[8+j], half)<<4
			}
		}
	}
}

// toUE4M3 rounds to unsigned E4M3 by its first dropped bit: halves up.
func toUE4M3(x float32) byte {
	if !(x > 0) {
		return 0
	}
	bits := math.Float32bits(min(x, 448))
	exp := int(bits>>23) - 127 + 7
	if exp <= 0 {
		return byte(within(int(float32(x*512)+0.5), 0, 7))
	}
	if exp >= 15 {
		return 0x7e
	}
	man := int(bits>>20&7) + int(bits>>19&1)
	if man > 7 {
		man, exp = 0, exp+1
	}
	if exp >= 15 {
		return 0x7e
	}
	return byte(exp<<3 | man)
}
