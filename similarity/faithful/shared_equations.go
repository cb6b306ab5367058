package faithful

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/quant"
)

// equation is one that the importances w of a run satisfy: |Σ aⱼwⱼ| ≤ Σ sⱼwⱼ.
type equation struct{ a, s []float64 }

// left is what importances leave of an equation, in roundings of the scale.
func (e *equation) left(w []float64) float64 {
	r := e.rounding(w)
	if r == 0 {
		return 0
	}
	return dense.Dot64(e.a, w) / r
}

func (e *equation) rounding(w []float64) float64 { return dense.Dot64(e.s, w) }

// sumLoss is what sums of 32 numbers in float32 lose at most, relatively.
const sumLoss = 32 * 0x1p-24

// equations gives those of a block of values x that decodes to v, none where its scale is
// none that weights were fitted with; square is the mean square of the row.
type equations func(x, v []float32, block []byte, square float32) []equation

// fitted holds the types whose scales are stored as they were fitted, but for half precision.
var fitted = map[string]equations{
	"Q4_0": signedEquations("Q4_0"), "Q5_0": signedEquations("Q5_0"),
	"Q4_1": lineEquations("Q4_1"), "Q5_1": lineEquations("Q5_1"),
}

// signedEquations serves codes without a minimum: d·Σ wl² = Σ wlx.
func signedEquations(name string) equations {
	return func(x, v []float32, block []byte, square float32) []equation {
		s := quant.Subs[name](block)[0]
		if s.Scale == 0 || !finite(s.Scale) {
			return nil
		}
		d, l, m := float64(s.Scale), places(s, v), weightsOf(x, square)
		half := halfUlp(s.Scale)
		e := equation{make([]float64, len(x)), make([]float64, len(x))}
		for j, y := range x {
			e.a[j] = m[j] * l[j] * (float64(y) - d*l[j])
			e.s[j] = m[j] * (half*l[j]*l[j] + sumLoss*math.Abs(l[j])*(math.Abs(float64(y))+math.Abs(d*l[j])))
		}
		return []equation{e}
	}
}

// lineEquations serves codes with a minimum: the two normal equations of a line, one
// where the minimum is held at zero. The plain choice is taken without any weights.
func lineEquations(name string) equations {
	top := map[string]float32{"Q4_1": 15, "Q5_1": 31}[name]
	return func(x, v []float32, block []byte, square float32) []equation {
		s := quant.Subs[name](block)[0]
		if s.Scale == 0 || !finite(s.Scale) || !finite(s.Offset) {
			return nil
		}
		lo, hi := min(0, slices.Min(x)), slices.Max(x)
		d, b := float64(s.Scale), float64(s.Offset)
		if math.Abs(d-float64((hi-lo)/top)) <= 2*halfUlp(s.Scale) && math.Abs(b-float64(lo)) <= 2*halfUlp(s.Offset) {
			return nil
		}
		l, m := places(s, v), weightsOf(x, square)
		scaleHalf, lowHalf := halfUlp(s.Scale), halfUlp(s.Offset)
		slope, level := equation{make([]float64, len(x)), make([]float64, len(x))}, equation{make([]float64, len(x)), make([]float64, len(x))}
		for j, y := range x {
			off := float64(y) - d*l[j] - b
			room := scaleHalf*l[j] + lowHalf + sumLoss*(math.Abs(float64(y))+math.Abs(d*l[j])+math.Abs(b))
			slope.a[j], slope.s[j] = m[j]*l[j]*off, m[j]*l[j]*room
			level.a[j], level.s[j] = m[j]*off, m[j]*room
		}
		if b == 0 {
			return []equation{slope}
		}
		return []equation{slope, level}
	}
}

// weightsOf are the weights of values beside their importance.
func weightsOf(x []float32, square float32) []float64 {
	m := make([]float64, len(x))
	for j, v := range x {
		m[j] = math.Sqrt(float64(square) + float64(v)*float64(v))
	}
	return m
}

// halfUlp is half of the last place of a number in half precision.
func halfUlp(v float32) float64 {
	_, e := math.Frexp(math.Abs(float64(v)))
	return math.Ldexp(1, max(e-12, -25))
}

// squareOf is the mean square of a row, as the quantiser takes it.
func squareOf(x []float32) float32 {
	var sum float32
	for _, v := range x {
		sum += float32(v * v)
	}
	return sum / float32(len(x))
}
