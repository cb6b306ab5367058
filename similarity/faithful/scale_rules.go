package faithful

import "math"

// scaling is what a rule gives for a group. Numbers that a rule leaves open are NaN.
type scaling struct{ scale, zero, bias float64 }

// group is what a rule is asked about: the least and the largest value, the largest
// number that a code stands for, the distance from the least code to the largest (0
// where codes are no lattice), and how its arithmetic rounds.
type group struct {
	lo, hi, top float64
	steps       int
	round       func(float64) float64
}

func (g group) size() float64 { return max(g.hi, -g.lo) }

// span is the distance of the ends over the steps; around counts zero among the values.
func (g group) span(around bool) float64 {
	lo, hi := g.lo, g.hi
	if around {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	return g.round(g.round(hi-lo) / float64(g.steps))
}

// scaleRule is how a quantiser comes to the numbers of a group.
type scaleRule struct {
	name    string
	lattice bool // of codes that are whole numbers
	give    func(g group) scaling
	or      func(g group) scaling // what it gives as well, where numbers tie or by other versions; nil for nothing
}

var none = math.NaN()

// alone is a rule for the scale alone.
func alone(f func(g group) float64) func(group) scaling {
	return func(g group) scaling { return scaling{f(g), none, none} }
}

// leastSpan is what AutoAWQ takes the span of a group for where it is smaller, as that of
// equal values is (awq/quantize/quantizer.py, pseudo_quantize_tensor).
const leastSpan = 1e-5

// whole is a rule by which zero-points are whole numbers that make room for the least
// value, and a span is taken to be no smaller than least.
func whole(around bool, least float64) func(group) scaling {
	return func(g group) scaling {
		s, lo := max(g.span(around), g.round(least/float64(g.steps))), g.lo
		if around {
			lo = min(lo, 0)
		}
		first := g.top - float64(g.steps)
		return scaling{s, min(max(first-g.round(lo/s), first), g.top), none} // zero-points are codes
	}
}

// signless is the largest code over which sizes are spread where codes count from 0.
func (g group) signless() float64 {
	if g.top == float64(g.steps) {
		return math.Floor(g.top / 2)
	}
	return g.top
}

// oneSided is what GPTQ spreads a symmetric range over where no value is negative: it
// begins at zero all the same (gptqmodel/quantization/quantizer.py, find_params).
func oneSided(g group) float64 {
	if g.lo < 0 {
		return none
	}
	return g.round(g.hi / float64(g.steps))
}

// power rounds a quotient to a power of two.
func power(round func(float64) float64) func(group) float64 {
	return func(g group) float64 { return math.Exp2(round(math.Log2(g.size() / g.top))) }
}

// exponent is that of the largest size less that of the largest code: the shared
// exponent of the OCP Microscaling Formats (2023), section 6.3.
func exponent(g group) float64 {
	_, e := math.Frexp(g.size())
	_, t := math.Frexp(g.top)
	return math.Ldexp(1, e-t)
}

// scaleRules lists the rules that quantisers follow: bitsandbytes' absolute maxima,
// round-to-nearest of GPTQ, AWQ, compressed-tensors, torchao and quanto, FP8 and the
// block formats, MLX's.
var scaleRules = []scaleRule{
	{"the largest size over the largest code", false, alone(func(g group) float64 { return g.round(g.size() / g.signless()) }), nil},
	{"the largest size over half the range of codes", true, alone(func(g group) float64 { return g.round(g.size() / (float64(g.steps) / 2)) }), alone(oneSided)},
	{"the largest size over half the number of codes", true, alone(func(g group) float64 { return g.round(g.size() / (float64(g.steps+1) / 2)) }), nil},
	{"the span of the values and zero", true, whole(true, 0), nil},
	{"the span of the values", true, whole(false, 0), whole(false, leastSpan)},
	{"the span of the values, counted from the least", true, func(g group) scaling { return scaling{g.span(false), none, g.lo} }, nil},
	{"the span of the values, zero moved to a code", true, movedToZero, movedOnTie},
	{"the exponent of the largest size", false, alone(exponent), nil},
	{"the largest size, up to a power of two", false, alone(power(math.Ceil)), nil},
	{"the largest size, to the nearest power of two", false, alone(power(math.Round)), nil},
}

// movedToZero is MLX's rule: the end that lies farther from zero becomes a whole
// number of steps (mlx, ops.cpp, affine_quantize).
func movedToZero(g group) scaling { return moved(g, func(x float64) float64 { return x }) }

// movedOnTie is the same where the number of steps all but lies halfway between two.
func movedOnTie(g group) scaling { return moved(g, onTie) }

func moved(g group, turn func(float64) float64) scaling {
	scale, edge := max(g.span(false), 1e-7), g.lo
	if math.Abs(g.lo) <= math.Abs(g.hi) {
		scale, edge = -scale, g.hi
	}
	q := math.RoundToEven(turn(edge / scale))
	if q == 0 {
		return scaling{scale, none, 0}
	}
	return scaling{edge / q, none, edge}
}

// tiedWithin is how near to halfway between two whole numbers arithmetic in float32
// may take either.
const tiedWithin = 1e-5

// onTie is the whole number on the other side where a number all but lies halfway.
func onTie(x float64) float64 {
	if low := math.Floor(x); math.Abs(x-low-0.5) < tiedWithin {
		return 2*low + 1 - math.RoundToEven(x)
	}
	return x
}

// fittedRule is that of quantisers which fit zero-points to all values: others must not
// pass by it with a zero-point that was moved.
var fittedRule = []scaleRule{{"the span of the values, zero-points fitted", true, alone(notSmall), alone(notLeast)}}

// What HQQ takes a scale for where the span of a group is small (hqq/core/quantize.py,
// Quantizer.quantize): its scales are inverse, and go no higher than half precision lets them.
const smallSpan, leastScale = 1e-4, 1 / 2e4

// notSmall is the span over the steps, and one where that span is small.
func notSmall(g group) float64 {
	if g.round(g.hi-g.lo) <= smallSpan {
		return 1
	}
	return notLeast(g)
}

// notLeast is the same of versions that know no small spans.
func notLeast(g group) float64 { return max(g.span(false), leastScale) }
