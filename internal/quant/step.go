package quant

import "slices"

// Steps gives, by the name of a block type, the lattice step at each value of
// whole blocks: the distance to the neighbouring representable value of its
// sub-block, the larger one where the two differ. Rounding to the lattice
// moves a value by at most half of it, except at the ends of the code, where
// what lies beyond is clipped: Q4_0 and Q5_0 reach one step less far on one
// side. Types that choose points of a grid have no step for a single value
// and are absent.
var Steps = map[string]func(dst []float32, src []byte){
	"Q2_0":   scaled(64, 18, 0, half),
	"Q4_0":   scaled(32, 18, 0, half),
	"Q4_1":   scaled(32, 20, 0, half),
	"Q5_0":   scaled(32, 22, 0, half),
	"Q5_1":   scaled(32, 24, 0, half),
	"Q8_0":   scaled(32, 34, 0, half),
	"Q8_1":   scaled(32, 36, 0, half),
	"Q8_K":   scaled(256, 292, 0, func(b []byte) float32 { return fromBits(u32(b)) }),
	"Q2_K":   stepQ2K,
	"Q3_K":   stepQ3K,
	"Q4_K":   stepQ45K(144),
	"Q5_K":   stepQ45K(176),
	"Q6_K":   stepQ6K,
	"IQ4_NL": stepIQ4NL,
	"IQ4_XS": stepIQ4XS,
	"MXFP4":  stepMXFP4,
	"NVFP4":  stepNVFP4,
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = abs(v)
	}
}

// scaled serves types whose step is one scale for the whole block.
func scaled(values, size, at int, scale func([]byte) float32) func([]float32, []byte) {
	return func(dst []float32, src []byte) {
		for ; len(dst) >= values; dst, src = dst[values:], src[size:] {
			fill(dst[:values], scale(src[at:]))
		}
	}
}

func stepQ2K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[84:] {
		d := half(src[80:])
		for i, sc := range src[:16] {
			fill(dst[16*i:][:16], d*float32(sc&15))
		}
	}
}

func stepQ3K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[110:] {
		d := half(src[108:])
		for i, sc := range scales3(src[96:108]) {
			fill(dst[16*i:][:16], d*float32(sc))
		}
	}
}

func stepQ45K(size int) func([]float32, []byte) {
	return func(dst []float32, src []byte) {
		for ; len(dst) >= 256; dst, src = dst[256:], src[size:] {
			d := half(src)
			for j := range 8 {
				sc, _ := scaleMin4(j, src[4:16])
				fill(dst[32*j:][:32], d*float32(sc))
			}
		}
	}
}

func stepQ6K(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[210:] {
		d := half(src[208:])
		for i, sc := range src[192:208] {
			fill(dst[16*i:][:16], d*float32(int8(sc)))
		}
	}
}

// gaps gives for each code of a code book the larger distance to a
// neighbouring value.
func gaps(book [16]float32) (g [16]float32) {
	sorted := slices.Compact(slices.Sorted(slices.Values(book[:])))
	for i, v := range book {
		at, _ := slices.BinarySearch(sorted, v)
		if at > 0 {
			g[i] = v - sorted[at-1]
		}
		if at+1 < len(sorted) {
			g[i] = max(g[i], sorted[at+1]-v)
		}
	}
	return g
}

var gapsNL, gapsFP4 = gaps(nonLinear), gaps(twiceE2M1)

// nibbles writes the gaps of packed codes, low nibbles in the first half.
func nibbles(y []float32, qs []byte, d float32, g [16]float32) {
	n := len(qs)
	for j, q := range qs {
		y[j], y[j+n] = abs(d*g[q&15]), abs(d*g[q>>4])
	}
}

func stepIQ4NL(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[18:] {
		nibbles(dst, src[2:18], half(src), gapsNL)
	}
}

func stepIQ4XS(dst []float32, src []byte) {
	for ; len(dst) >= 256; dst, src = dst[256:], src[136:] {
		d := half(src)
		for ib := range 8 {
			nibbles(dst[32*ib:], src[8+16*ib:][:16], d*float32(scale4(ib, src)), gapsNL)
		}
	}
}

func stepMXFP4(dst []float32, src []byte) {
	for ; len(dst) >= 32; dst, src = dst[32:], src[17:] {
		nibbles(dst, src[1:17], halfE8M0(src[0]), gapsFP4)
	}
}

func stepNVFP4(dst []float32, src []byte) {
	for ; len(dst) >= 64; dst, src = dst[64:], src[36:] {
		for s := range 4 {
			nibbles(dst[16*s:], src[4+8*s:][:8], halfUE4M3(src[s]), gapsFP4)
		}
	}
}
