package quant

import "math"

// The floating-point types of one byte or less, as OCP's OFP8 and
// Microscaling specifications and the FNUZ variants define them.
var (
	e4m3     = table(8, smallFloat{man: 3, bias: 7, nan: func(b int) bool { return b&0x7f == 0x7f }})
	e5m2     = table(8, smallFloat{man: 2, bias: 15, ieee: true})
	e4m3fnuz = table(8, smallFloat{man: 3, bias: 8, nan: func(b int) bool { return b == 0x80 }})
	e5m2fnuz = table(8, smallFloat{man: 2, bias: 16, nan: func(b int) bool { return b == 0x80 }})
	e2m3     = table(6, smallFloat{man: 3, bias: 1})
	e3m2     = table(6, smallFloat{man: 2, bias: 3})
	e2m1     = table(4, smallFloat{man: 1, bias: 1})
	e8m0     = exponents()
)

// smallFloat describes a type: a sign, an exponent and man bits of fraction.
type smallFloat struct {
	man, bias int
	ieee      bool // the largest exponent means infinity and NaN
	nan       func(b int) bool
}

// table lists the values of all patterns of a type of the given bits.
func table(bits int, f smallFloat) []float32 {
	t := make([]float32, 1<<bits)
	top := 1<<(bits-1-f.man) - 1
	for b := range t {
		exp, man := b>>f.man&top, b&(1<<f.man-1)
		v := math.Ldexp(float64(man), 1-f.bias-f.man)
		if exp > 0 {
			v = math.Ldexp(float64(1<<f.man+man), exp-f.bias-f.man)
		}
		switch {
		case f.nan != nil && f.nan(b), f.ieee && exp == top && man != 0:
			v = math.NaN()
		case f.ieee && exp == top:
			v = math.Inf(1)
		}
		if b>>(bits-1) == 1 {
			v = math.Copysign(v, -1)
		}
		t[b] = float32(v)
	}
	return t
}

// exponents lists the powers of two that E8M0 stands for.
func exponents() []float32 {
	t := make([]float32, 256)
	for b := range t {
		t[b] = float32(math.Ldexp(1, b-127))
	}
	t[255] = float32(math.NaN())
	return t
}

func lookup(dst []float32, src []byte, t []float32) {
	src = src[:len(dst)]
	values := (*[256]float32)(t)
	for i, b := range src {
		dst[i] = values[b]
	}
}

// F8E4M3 decodes E4M3FN: no infinities, two NaN patterns, largest 448.
func F8E4M3(dst []float32, src []byte) { lookup(dst, src, e4m3) }

// F8E5M2 decodes E5M2, which has infinities and NaN as IEEE types do.
func F8E5M2(dst []float32, src []byte) { lookup(dst, src, e5m2) }

// F8E4M3FNUZ decodes E4M3 with bias 8, one NaN and no negative zero.
func F8E4M3FNUZ(dst []float32, src []byte) { lookup(dst, src, e4m3fnuz) }

// F8E5M2FNUZ decodes E5M2 with bias 16, one NaN and no negative zero.
func F8E5M2FNUZ(dst []float32, src []byte) { lookup(dst, src, e5m2fnuz) }

// F8E8M0 decodes powers of two, 2^(x−127); 255 is NaN.
func F8E8M0(dst []float32, src []byte) { lookup(dst, src, e8m0) }

// F4 decodes E2M1, two values a byte, the low nibble first.
func F4(dst []float32, src []byte) {
	for i := range len(dst) / 2 {
		dst[2*i], dst[2*i+1] = e2m1[src[i]&15], e2m1[src[i]>>4]
	}
}

// F6E2M3 decodes four values in three bytes, read as one little-endian
// stream of bits.
func F6E2M3(dst []float32, src []byte) { six(dst, src, e2m3) }

// F6E3M2 decodes four values in three bytes, read as one little-endian
// stream of bits.
func F6E3M2(dst []float32, src []byte) { six(dst, src, e3m2) }

func six(dst []float32, src []byte, t []float32) {
	for i := range len(dst) / 4 {
		w := uint32(src[3*i]) | uint32(src[3*i+1])<<8 | uint32(src[3*i+2])<<16
		for k := range 4 {
			dst[4*i+k] = t[w>>(6*k)&63]
		}
	}
}
