package faithful

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// grouped is data whose codes share a scale by groups of values.
type grouped interface {
	// ReadGroups gives the group of each of the values [first, first+len(dst)).
	ReadGroups(ctx context.Context, dst []int32, first int64) error
	// Groups gives what is stored of every group.
	Groups(ctx context.Context) ([]quant.Group, error)
	// Levels gives the largest number that a code stands for before scaling, and the
	// steps from the least code to the largest, 0 where codes are no lattice.
	Levels() (top float32, steps int)
	// FittedZero tells whether zero-points follow from more than the least and the
	// largest value of a group.
	FittedZero() bool
}

// groupedOf finds it also behind data that keeps accounts; nil where there is none.
func groupedOf(d tensor.Data) grouped {
	for {
		switch x := d.(type) {
		case grouped:
			return x
		case interface{ Unwrap() tensor.Data }:
			d = x.Unwrap()
		default:
			return nil
		}
	}
}

// ranges are the least and the largest value of the source in each group that shares
// a scale, and how many values of it were seen.
type ranges struct {
	lo, hi []float32
	seen   []int64
}

// readRanges walks through the source once.
func readRanges(ctx context.Context, p Pair, data grouped, groups int) (*ranges, error) {
	r := &ranges{make([]float32, groups), make([]float32, groups), make([]int64, groups)}
	cols := p.Source.Cols
	per := max(1, valuesAtOnce/max(1, cols))
	of := make([]int32, cols)
	for first := 0; first < p.Source.Rows; first += per {
		rows := p.Source.All()[first:min(first+per, p.Source.Rows)]
		x := make([]float32, len(rows)*cols)
		if err := p.Source.Gather(ctx, x, rows); err != nil {
			return nil, err
		}
		for i, row := range rows {
			if err := data.ReadGroups(ctx, of, p.Quantised.StoredAt(row)); err != nil {
				return nil, err
			}
			r.add(of, x[i*cols:][:cols])
		}
	}
	return r, nil
}

func (r *ranges) add(of []int32, x []float32) {
	for i, v := range x {
		g := of[i]
		if r.seen[g] == 0 {
			r.lo[g], r.hi[g] = v, v
		}
		r.seen[g]++
		r.lo[g], r.hi[g] = min(r.lo[g], v), max(r.hi[g], v)
	}
}

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
	or      func(g group) scaling // what it gives as well where numbers tie; nil for nothing
}

var none = math.NaN()

// alone is a rule for the scale alone.
func alone(f func(g group) float64) func(group) scaling {
	return func(g group) scaling { return scaling{f(g), none, none} }
}

// whole is a rule by which zero-points are whole numbers that make room for the least value.
func whole(around bool) func(group) scaling {
	return func(g group) scaling {
		s, lo := g.span(around), g.lo
		if around {
			lo = min(lo, 0)
		}
		least := g.top - float64(g.steps)
		return scaling{s, min(max(least-g.round(lo/s), least), g.top), none} // zero-points are codes
	}
}

// signless is the largest code over which sizes are spread where codes count from 0.
func (g group) signless() float64 {
	if g.top == float64(g.steps) {
		return math.Floor(g.top / 2)
	}
	return g.top
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
	{"the largest size over half the range of codes", true, alone(func(g group) float64 { return g.round(g.size() / (float64(g.steps) / 2)) }), nil},
	{"the largest size over half the number of codes", true, alone(func(g group) float64 { return g.round(g.size() / (float64(g.steps+1) / 2)) }), nil},
	{"the span of the values and zero", true, whole(true), nil},
	{"the span of the values", true, whole(false), nil},
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

// exactly is what arithmetic in float32 may do to a scale, relatively.
const exactly = 0x1p-21

// coarse is how wide what is stored as one scale must be, relatively, for another
// order of roundings to change it by a unit.
const coarse = 0x1p-12

// beside widens what is stored as a scale by a unit to either side; ok is false where
// scales are stored so finely that arithmetic does not change them.
func beside(g quant.Group) (quant.Group, bool) {
	d := max(g.High-g.Low, g.Low-g.High)
	lo, hi := min(g.Low, g.High)-d, max(g.Low, g.High)+d
	g.Low, g.High = lo, hi
	return g, float64(d) > coarse*math.Abs(float64(g.Scale))
}

// zeroSlack is how far a zero-point may lie from what the rule rounds, in steps: half
// a step, and what arithmetic in a type that loses unit of every number may do to as
// many steps as there are; in 16 bits where that is not known.
func zeroSlack(steps int, unit float64) float64 {
	return 0.5 + max(float64(min(steps, 15))*0x1p-8, float64(steps)*unit)
}

// asRule tells whether what is stored of a group is what a rule gives, up to rounding.
func asRule(g quant.Group, s scaling, steps int) bool {
	room := exactly * math.Abs(s.scale)
	if !(s.scale >= float64(min(g.Low, g.High))-room && s.scale <= float64(max(g.Low, g.High))+room) {
		return false
	}
	lost := 0.0 // the most that the type of the scale loses of any number
	if half := math.Abs(float64(g.High-g.Low) / (2 * float64(g.Scale))); half > 0 && finite(float32(half)) {
		_, e := math.Frexp(half)
		lost = math.Ldexp(1, e)
	}
	if s.bias == s.bias { // stored in the type of the scale
		if !(math.Abs(float64(g.Bias)-s.bias) <= (exactly+lost)*math.Abs(s.bias)) {
			return false
		}
	}
	return s.zero != s.zero || math.Abs(float64(g.Zero)-s.zero) <= zeroSlack(steps, lost)
}

// ruledScales are the scales of a tensor as a rule explains them.
type ruledScales struct {
	rule    string
	through passage
	also    []passage // others with which the rule gives as many
	of      []Grade   // by group: Exact, Open a unit beside what the rule gives, else Deviates
}

// fittedRule is that of quantisers which fit zero-points to all values: others must not
// pass by it with a zero-point that was moved.
var fittedRule = []scaleRule{{"the span of the values, zero-points fitted", true, alone(func(g group) float64 { return g.span(false) }), nil}}

// askedGroups is how many groups tell which rule is followed.
const askedGroups = 4096

// ruleOf finds the rule, the passage of the source and the arithmetic that give most
// of a sample of groups; nil where none gives more than half. Groups without values,
// of nothing but zeros, or of which parts lie elsewhere do not count.
func (r *ranges) ruleOf(groups []quant.Group, data grouped, all []passage) *ruledScales {
	top, steps := data.Levels()
	var asked []int
	for g := range groups {
		if r.seen[g] == groups[g].Size && (r.lo[g] != 0 || r.hi[g] != 0) {
			asked = append(asked, g)
		}
	}
	rules := scaleRules
	if data.FittedZero() {
		rules = fittedRule
	}
	most, best := 0, (func(quant.Group, int) bool)(nil)
	out := &ruledScales{of: make([]Grade, len(groups))}
	for _, through := range all {
		for _, in := range passages(tensor.F32) {
			for _, rule := range rules {
				if rule.lattice && steps == 0 {
					continue
				}
				fits := func(stored quant.Group, g int) bool {
					x := group{float64(through.of(r.lo[g])), float64(through.of(r.hi[g])), float64(top), steps, in.of64}
					return asRule(stored, rule.give(x), steps) || rule.or != nil && asRule(stored, rule.or(x), steps)
				}
				n, every := 0, max(1, len(asked)/askedGroups)
				for k := 0; k < len(asked); k += every {
					if fits(groups[asked[k]], asked[k]) {
						n += every
					}
				}
				switch {
				case n > most:
					most, best, out.rule, out.through, out.also = n, fits, rule.name, through, nil
				case n == most && rule.name == out.rule && through.name != out.through.name:
					out.also = append(out.also, through)
				}
			}
		}
	}
	if float64(most) <= majority*float64(len(asked)) {
		return nil
	}
	for _, g := range asked {
		if best(groups[g], g) {
			continue
		}
		out.of[g] = Deviates
		if wider, ok := beside(groups[g]); ok && best(wider, g) {
			out.of[g] = Open
		}
	}
	return out
}
