package faithful

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
)

// One importance serves all rows of a tensor. A scale that was fitted with weights to
// values and their codes says something about the weights: what is left over, weighed,
// sums to nothing, Σ wⱼmⱼlⱼ(xⱼ − d·lⱼ) = 0, up to the rounding of the scale. A run of 32
// columns has 32 importances and one such equation, or two, in each row. So hundreds of
// rows determine the importances from the file alone, and a row whose scale does not
// follow from them was not quantised together with the others.

// shared is the importance of a run of columns that the rows have in common.
type shared struct {
	w      []float64
	agreed int         // equations that hold with it
	most   float64     // the largest number of roundings that chance takes an honest row from nothing, per unit of reach
	sure   float64     // that any errors of the rows do, per unit of reach
	axes   [][]float64 // directions that the rows determine, each divided by the size of what they say of it
}

// Bounds in roundings of the scale. Honest rows are within one with the importance that
// made them. Those that agree are within two with the one that was found. So the two
// importances differ by what moves each of these by three at most: by Cauchy and Schwarz
// that moves another row by three times its reach times the root of their number. If
// roundings are independent and spread evenly it moves it by a standard deviation of
// its reach, over √3. Both are doubled for the roundings themselves, which importance scales.
const (
	agree     = 2.0
	deviation = 6.0
	nearlyAll = 0.8 // share of equations that must agree: with fewer the search may have missed the importance
)

// reach is how far the importance of a row's run is uncertain in the direction that
// the row asks for.
func (s *shared) reach(e *equation) float64 {
	r, sum := e.rounding(s.w), 0.0
	for _, axis := range s.axes {
		x := dense.Dot64(e.a, axis) / r
		sum += x * x
	}
	return math.Sqrt(sum)
}

// judge holds a block against the importance of the others.
func (s *shared) judge(all []equation) (Grade, fault) {
	g, f := Reachable, fault{}
	for i := range all {
		off, reach := math.Abs(all[i].left(s.w)), s.reach(&all[i])
		switch {
		case off <= agree+s.most*reach:
		case off <= agree+s.sure*reach:
			if g == Reachable {
				g = Open
			}
			f = fault{steps: off, lost: true, what: notTheirs}
		default:
			g, f = Deviates, fault{steps: off, what: notTheirs}
		}
	}
	return g, f
}

// notTheirs says what a block is whose importance is another one.
const notTheirs = "the scale does not follow from the importance that the scales of the other rows follow from; steps are roundings of it"

// Rows that are asked, at least in multiples of the unknowns, and how long is searched.
const (
	leastEquations = 3
	rounds         = 60
)

// share finds the importance of a run that most equations agree on; nil where none does.
// It is looked for from two sides: from columns that weigh alike, and from columns that
// weigh the more the less is left over in them.
func share(all []equation) (best *shared) {
	if len(all) == 0 || len(all) < leastEquations*len(all[0].a) {
		return nil
	}
	for _, w := range [][]float64{ones(len(all[0].a)), byLeftOver(all)} {
		for _, powers := range [][]func(float64) float64{{squared}, {plain, squared}} {
			s := &shared{w: slices.Clone(w)}
			if s.search(all, powers) && (best == nil || s.agreed > best.agreed) {
				best = s
			}
			if best != nil && best.agreed == len(all) {
				break
			}
		}
	}
	if best == nil || float64(best.agreed) < nearlyAll*float64(len(all)) || !best.settle(all) {
		return nil
	}
	return best
}

// settle tells what the equations that agree leave open.
func (s *shared) settle(all []equation) bool {
	n := len(s.w)
	g, _ := s.gram(all, func(i int) float64 {
		if math.Abs(all[i].left(s.w)) > agree {
			return 0
		}
		return 1
	})
	size := make([]float64, n) // of what all of them say of each column
	for j := range size {
		size[j] = math.Sqrt(g[j*n+j])
	}
	for j := range n {
		for k := range n {
			if s := size[j] * size[k]; s > 0 {
				g[j*n+k] /= s
			}
		}
	}
	values, v, err := linalg.SymEigen(g, n)
	if err != nil {
		return false
	}
	for k := 1; k < n; k++ { // the first direction is the importance itself, whose size means nothing
		axis := make([]float64, n)
		for j := range axis {
			axis[j] = v[j*n+k] * s.w[j] / max(size[j], unsaid) / math.Sqrt(max(values[k], unsaid))
		}
		s.axes = append(s.axes, axis)
	}
	s.most, s.sure = deviation, 2*3*math.Sqrt(float64(s.agreed))
	return true
}

// unsaid is as good as nothing that equations say of a direction.
const unsaid = 1e-12

// askedRows are the rows that tell the importance of columns.
const askedRows = 768

// shareImportance finds the importance that the rows of a tensor have in common, where
// none was given and scales do not follow from the values alone.
func (j *judge) shareImportance(ctx context.Context, p Pair, t *Tensor) error {
	find := fitted[j.name]
	if j.mode != Searched || find == nil || len(p.Quantised.Tensor.Shape) > 2 {
		return nil // stacked matrices have an importance each
	}
	s, err := p.takeRows(ctx, j.codec, j.bytesOf(p.Source.Cols), askedRows)
	if err != nil {
		return err
	}
	bv, bb := j.codec.BlockValues, j.codec.BlockBytes
	all := make([][]equation, p.Source.Cols/bv)
	v := make([]float32, bv)
	for i := range s.at {
		x, raw := s.values(j, i), s.raw[i*len(s.raw)/len(s.at):]
		square := squareOf(x)
		for k := range all {
			j.codec.Decode(v, raw[k*bb:][:bb])
			all[k] = append(all[k], find(x[k*bv:][:bv], v, raw[k*bb:][:bb], square)...)
		}
	}
	j.shared, j.apart = make([]*shared, len(all)), make([]bool, len(all))
	dense.Parallel(len(all), func(k int) {
		j.shared[k] = share(all[k])
		j.apart[k] = j.shared[k] == nil && len(all[k]) >= leastEquations*bv
	})
	if slices.Contains(j.apart, true) {
		t.Why = "no importance was found that the scales of most rows follow from: unusual kinds of it, or one for each row, which no quantiser takes"
	}
	return nil
}
