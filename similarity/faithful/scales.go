package faithful

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// ranges are the least and the largest value of the source in each group that shares
// a scale, and how many values of it were seen.
type ranges struct {
	lo, hi []float32
	seen   []int64
}

// readRanges walks through the source once.
func readRanges(ctx context.Context, p Pair, data tensor.Grouped, groups int) (*ranges, error) {
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

// scaleRule is how a quantiser comes to the numbers of a group from the least and the
// largest of its values; top is the largest number that a code stands for, steps the
// distance from the least code to the largest, 0 where codes are no lattice.
type scaleRule struct {
	name string
	give func(lo, hi, top float64, steps int) scaling
}

var none = math.NaN()

// sized are rules by the largest size alone, over so many steps.
func sized(name string, over func(top float64, steps int) float64) scaleRule {
	return scaleRule{"the largest size over " + name, func(lo, hi, top float64, steps int) scaling {
		return scaling{max(hi, -lo) / over(top, steps), none, none}
	}}
}

// spanned are rules by least and largest value; around counts zero among the values.
func spanned(name string, around, whole bool) scaleRule {
	return scaleRule{name, func(lo, hi, top float64, steps int) scaling {
		if steps == 0 {
			return scaling{none, none, none}
		}
		if around {
			lo, hi = min(lo, 0), max(hi, 0)
		}
		s := scaling{(hi - lo) / float64(steps), none, none}
		if whole {
			s.zero = top - float64(steps) - lo/s.scale
		}
		return s
	}}
}

// powered are rules for scales that are powers of two.
func powered(name string, round func(float64) float64) scaleRule {
	return scaleRule{name, func(lo, hi, top float64, _ int) scaling {
		return scaling{round(max(hi, -lo) / top), none, none}
	}}
}

// powersBelow is the greatest power of two not above the quotient of two numbers'
// powers: the shared exponent of the OCP Microscaling Formats (2023), section 6.3.
func powersBelow(lo, hi, top float64, _ int) scaling {
	_, e := math.Frexp(max(hi, -lo))
	_, t := math.Frexp(top)
	return scaling{math.Ldexp(1, e-t), none, none}
}

// scaleRules lists the rules that quantisers follow: bitsandbytes' absolute maxima,
// round-to-nearest of GPTQ, AWQ, compressed-tensors, torchao and quanto, HQQ's scales
// (its zero-points are fitted), FP8 and the block formats, MLX's.
var scaleRules = []scaleRule{
	sized("the largest code", func(top float64, steps int) float64 {
		if top == float64(steps) { // codes without a sign
			return math.Floor(top / 2)
		}
		return top
	}),
	sized("half the range of codes", func(top float64, steps int) float64 { return float64(steps) / 2 }),
	sized("half the number of codes", func(top float64, steps int) float64 { return float64(steps+1) / 2 }),
	spanned("the span of the values and zero, by codes", true, true),
	spanned("the span of the values, by codes", false, true),
	{"the span of the values from the least, by codes", fromLeast},
	spanned("the span of the values, zero-points fitted", false, false),
	{"the span of the values, zero moved to a code", movedToZero},
	{"the exponent of the largest size", powersBelow},
	powered("the largest size, up to a power of two", func(v float64) float64 { return math.Exp2(math.Ceil(math.Log2(v))) }),
	powered("the largest size, to the nearest power of two", func(v float64) float64 { return math.Exp2(math.Round(math.Log2(v))) }),
}

// fromLeast adds the least value to codes that count from zero.
func fromLeast(lo, hi, top float64, steps int) scaling {
	s := spanned("", false, false).give(lo, hi, top, steps)
	s.bias = lo
	return s
}

// movedToZero is MLX's rule: the end that lies farther from zero becomes a whole
// number of steps (mlx, ops.cpp, affine_quantize).
func movedToZero(lo, hi, _ float64, steps int) scaling {
	scale, edge := max((hi-lo)/float64(steps), 1e-7), lo
	if math.Abs(lo) > math.Abs(hi) {
		edge = lo
	} else {
		scale, edge = -scale, hi
	}
	q := math.RoundToEven(edge / scale)
	if q == 0 {
		return scaling{scale, none, 0}
	}
	return scaling{edge / q, none, edge}
}

// exactly is what arithmetic in float32 may do to a scale, relatively; coarsely, in
// types of 16 bits.
var exactly, coarsely = 0x1p-21, []float64{0x1p-10, 0x1p-7}

// mostAlike is the share of groups that a rule in coarse arithmetic must give.
const mostAlike = 0.98

// zeroSlack is how far a zero-point may lie from what the rule rounds, in steps.
const zeroSlack = 0.5 + 1e-3

// asRule tells whether what is stored of a group is what a rule gives, up to rounding.
func asRule(g tensor.Group, s scaling, slack float64) bool {
	near := func(want float64, low, high, size float64) bool {
		room := slack * size
		return want >= low-room && want <= high+room
	}
	switch {
	case s.scale != s.scale || !near(s.scale, float64(min(g.Low, g.High)), float64(max(g.Low, g.High)), math.Abs(s.scale)):
		return false
	case s.bias == s.bias && !near(s.bias, float64(g.Bias), float64(g.Bias), math.Abs(s.bias)*(1+biasSlack(g)/slack)):
		return false
	}
	return s.zero != s.zero || math.Abs(float64(g.Zero)-s.zero) <= zeroSlack+slack*math.Abs(s.zero)
}

// biasSlack is what storing a bias may have lost, relatively: as much as the scale
// beside it, which has the same type.
func biasSlack(g tensor.Group) float64 {
	if g.Scale == 0 {
		return 0
	}
	return math.Abs(float64(g.High-g.Low)) / math.Abs(float64(g.Scale))
}

// ruledScales are the scales of a tensor as a rule explains them.
type ruledScales struct {
	rule    string
	through passage
	off     []bool // by group: not what the rule gives
}

// ruleOf finds the rule that gives the scales of most groups; nil where none does.
// Groups without values, of nothing but zeros, or of which parts lie elsewhere do not
// count.
func (r *ranges) ruleOf(groups []tensor.Group, top float32, steps int, all []passage) *ruledScales {
	asked := 0
	for g := range groups {
		if r.counts(g, groups) {
			asked++
		}
	}
	for k, slack := range append([]float64{exactly}, coarsely...) {
		least := majority
		if k > 0 {
			least = mostAlike
		}
		for _, through := range all {
			for _, rule := range scaleRules {
				off, wrong := make([]bool, len(groups)), 0
				for g := range groups {
					if !r.counts(g, groups) {
						continue
					}
					lo, hi := r.lo[g], r.hi[g]
					if through.round != nil {
						lo, hi = through.round(lo), through.round(hi)
					}
					if !asRule(groups[g], rule.give(float64(lo), float64(hi), float64(top), steps), slack) {
						off[g], wrong = true, wrong+1
					}
				}
				if asked > 1 && float64(asked-wrong) > least*float64(asked) || asked == 1 && wrong == 0 {
					return &ruledScales{rule.name, through, off}
				}
			}
		}
	}
	return nil
}

func (r *ranges) counts(g int, groups []tensor.Group) bool {
	return r.seen[g] == groups[g].Size && (r.lo[g] != 0 || r.hi[g] != 0)
}
