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
