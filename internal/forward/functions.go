package forward

import "math"

// The functions of this file give the same bits everywhere: each product is
// converted before it is added, so that no compiler fuses the two, and nothing
// of the mathematical library is used but square roots and conversions, which
// IEEE 754 rounds exactly.

const (
	ln2High = 6.93147180369123816490e-01 // the upper 33 bits of ln 2, so that k·ln2High is exact
	ln2Low  = 1.90821492927058770002e-10
	log2E   = 1.44269504088896338700
)

// exp is e to the power x. Its relative error is some 1e-15; results below the
// normal numbers are 0.
func exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x < -708:
		return 0
	case x > 709:
		return math.Inf(1)
	}
	k := math.Floor(float64(x*log2E) + 0.5)
	r := x - float64(k*ln2High)
	r -= float64(k * ln2Low)
	s := 1.0 // Taylor's series from its small end; |r| ≤ ln 2 / 2
	for i := 14; i >= 1; i-- {
		s = 1 + float64(float64(r*s)/float64(i))
	}
	return float64(s * math.Float64frombits(uint64(int64(k)+1023)<<52))
}

// log is the natural logarithm of a positive, normal number, by the series of
// the inverse hyperbolic tangent.
func log(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	t := (m - 1) / (m + 1) // |t| ≤ 0.172
	t2 := float64(t * t)
	s := 0.0
	for i := 21; i >= 1; i -= 2 {
		s = 1/float64(i) + float64(t2*s)
	}
	return float64(float64(e)*ln2High) + (float64(2*float64(t*s)) + float64(float64(e)*ln2Low))
}

const (
	halfPiHigh = 1.57079632673412561417e+00 // the upper 33 bits of π/2
	halfPiLow  = 6.07710050650619224932e-11
	twoOverPi  = 6.36619772367581382433e-01
)

// sincos takes angles of some thousands at most.
func sincos(x float64) (sin, cos float64) {
	k := math.Floor(float64(x*twoOverPi) + 0.5)
	r := x - float64(k*halfPiHigh)
	r -= float64(k * halfPiLow)
	r2 := float64(r * r)
	s, c := 1.0, 1.0
	for i := 17; i >= 3; i -= 2 {
		s = 1 - float64(float64(r2*s)/float64(i*(i-1)))
	}
	for i := 18; i >= 2; i -= 2 {
		c = 1 - float64(float64(r2*c)/float64(i*(i-1)))
	}
	s = float64(r * s)
	switch int64(k) & 3 {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}

// tanh is the hyperbolic tangent.
func tanh(x float64) float64 {
	if x < 0 {
		return -tanh(-x)
	}
	e := exp(float64(-2 * x))
	return (1 - e) / (1 + e)
}

// erf is the error function by the series of erf(x)·exp(x²), whose terms are
// all positive (Abramowitz and Stegun, 7.1.6).
func erf(x float64) float64 {
	switch {
	case x < 0:
		return -erf(-x)
	case x > 6:
		return 1
	}
	x2 := float64(x * x)
	term, sum := x, x
	for n := 1; term > sum*1e-17; n++ {
		term = float64(term*x2) / (float64(n) + 0.5)
		sum += term
	}
	const twoOverRootPi = 1.12837916709551257390
	return float64(float64(twoOverRootPi*sum) * exp(-x2))
}

// functions are the activations by the names that configurations use.
var functions = map[string]func(float64) float64{
	"silu": silu, "swish": silu,
	"gelu": gelu, "gelu_python": gelu,
	"gelu_new": geluTanh, "gelu_fast": geluTanh, "gelu_pytorch_tanh": geluTanh, "gelu_accurate": geluTanh,
	"quick_gelu": func(x float64) float64 { return x / (1 + exp(float64(-1.702*x))) },
	"relu":       func(x float64) float64 { return max(x, 0) },
	"relu2":      func(x float64) float64 { return max(x, 0) * max(x, 0) },
}

// silu is x·logistic(x) (Elfwing, Uchibe, Doya 2018).
func silu(x float64) float64 { return x / (1 + exp(-x)) }

// gelu is x times the normal distribution function of x (Hendrycks, Gimpel
// 2016); geluTanh is their approximation.
func gelu(x float64) float64 { return x * (1 + erf(x/math.Sqrt2)) / 2 }

func geluTanh(x float64) float64 {
	const rootTwoOverPi = 0.79788456080286535588
	cube := float64(float64(0.044715*x) * float64(x*x))
	return x * (1 + tanh(float64(rootTwoOverPi*(x+cube)))) / 2
}
