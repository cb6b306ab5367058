package packed

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/quant"
)

// book gives for each code the number it stands for, before scaling, and the
// distance to the neighbouring number, the larger one where the two differ. Whatever
// lies between low and high rounds to the number.
type book struct {
	value, gap, low, high [256]float32
}

// newBook completes a list of at most 256 values.
func newBook(values []float32) *book {
	b := &book{}
	copy(b.value[:], values)
	sorted := slices.DeleteFunc(slices.Clone(values), func(v float32) bool { return v != v || math.IsInf(float64(v), 0) })
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	for c, v := range values {
		at, ok := slices.BinarySearch(sorted, v)
		if !ok {
			continue // no number
		}
		b.low[c], b.high[c] = float32(math.Inf(-1)), float32(math.Inf(1))
		if at > 0 {
			b.gap[c] = v - sorted[at-1]
			b.low[c] = v - b.gap[c]/2
		}
		if at+1 < len(sorted) {
			above := sorted[at+1] - v
			b.gap[c] = max(b.gap[c], above)
			b.high[c] = v + above/2
		}
	}
	return b
}

// integers is the book of unsigned codes of the given bits, less an offset.
func integers(bits int, offset int) *book {
	v := make([]float32, 1<<bits)
	for c := range v {
		v[c] = float32(c - offset)
	}
	return newBook(v)
}

// bytes is the book of an 8-bit type.
func bytesBook(decode func([]float32, []byte)) *book {
	v, src := make([]float32, 256), make([]byte, 256)
	for c := range src {
		src[c] = byte(c)
	}
	decode(v, src)
	return newBook(v)
}

// fours is the book of E2M1, the 4-bit float of MXFP4 and NVFP4.
func fours() *book {
	v, src := make([]float32, 16), make([]byte, 8)
	for c := range src {
		src[c] = byte(2*c | (2*c+1)<<4)
	}
	quant.F4(v, src)
	return newBook(v)
}

var (
	bookE2M1 = fours()
	bookE4M3 = bytesBook(quant.F8E4M3)
	bookE5M2 = bytesBook(quant.F8E5M2)
	bookI8   = bytesBook(quant.I8)
)
