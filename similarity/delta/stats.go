package delta

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Stats sums up two lists of values in the same role. Sums run in stored
// order, so they do not depend on how the reading was cut into pieces.
type Stats struct {
	N            int64      // pairs of values
	Equal        int64      // equal, or both NaN; zeros of either sign are
	Round        [2]int64   // [0]: A's value rounded to B's type is B's; [1]: B's rounded to A's type is A's
	Within       [2]int64   // [0]: A within half a step of B on B's lattice; [1]: the reverse
	Lattice      [2]int64   // values for which Within could be asked
	Steps2       [2]float64 // Σh² of the lattice steps at these values
	ZeroA        int64
	ZeroB        int64
	ZeroOnlyB    int64 // zero in B and not in A
	ZeroOnlyA    int64
	EqualNonzero int64 // equal and not zero

	AA, BB, AB float64 // Σa², Σb², Σab
	SumA, SumB float64
	DD, D4     float64 // Σd², Σd⁴ of d = b−a
	SumD       float64
	MaxD       float64
}

// add counts one row of each side. stepA and stepB are the lattice steps at
// each value, nil where the type has none.
func (s *Stats) add(a, b []float32, ta, tb tensor.DType, stepA, stepB []float32) {
	roundB, roundA := tb.Rounding(), ta.Rounding()
	s.N += int64(len(a))
	for i, x := range a {
		y := b[i]
		equal := same(x, y)
		if equal {
			s.Equal++
			if x != 0 {
				s.EqualNonzero++
			}
		}
		if equal || roundB != nil && same(roundB(x), y) {
			s.Round[0]++
		}
		if equal || roundA != nil && same(roundA(y), x) {
			s.Round[1]++
		}
		s.zeros(x, y)
		xf, yf := float64(x), float64(y)
		d := yf - xf
		if math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		s.AA += float64(xf * xf)
		s.BB += float64(yf * yf)
		s.AB += float64(xf * yf)
		s.SumA += xf
		s.SumB += yf
		s.SumD += d
		dd := float64(d * d)
		s.DD += dd
		s.D4 += float64(dd * dd)
		s.MaxD = math.Max(s.MaxD, math.Abs(d))
	}
	s.within(0, a, b, stepB)
	s.within(1, b, a, stepA)
}

// AddPlain counts values of which no storage is known.
func (s *Stats) AddPlain(a, b []float32) { s.add(a, b, tensor.F32, tensor.F32, nil, nil) }

func (s *Stats) zeros(x, y float32) {
	if x == 0 {
		s.ZeroA++
		if y != 0 {
			s.ZeroOnlyA++
		}
	}
	if y == 0 {
		s.ZeroB++
		if x != 0 {
			s.ZeroOnlyB++
		}
	}
}

// within counts the values of x that lie within half a step of y. Scales are
// stored as half-precision numbers while the rounding used the unrounded
// ones, so a value q steps from zero may be off by q·2⁻¹¹ of a step more.
func (s *Stats) within(side int, x, y, step []float32) {
	const slack = 1.0 / (1 << 11)
	for i, h := range step {
		h, v := float64(h), float64(y[i])
		s.Lattice[side]++
		s.Steps2[side] += float64(h * h)
		if math.Abs(float64(x[i])-v) <= h/2+math.Abs(v)*slack+h*1e-3 {
			s.Within[side]++
		}
	}
}

// Cosine is the cosine between the two lists of values, 0 if either vanishes.
func (s *Stats) Cosine() float64 {
	if s.AA == 0 || s.BB == 0 {
		return 0
	}
	return s.AB / math.Sqrt(s.AA*s.BB)
}

// Relative is |b−a|/|a|, the size of the change.
func (s *Stats) Relative() float64 {
	if s.AA == 0 {
		return 0
	}
	return math.Sqrt(s.DD / s.AA)
}

// Apart is |b−a|/√(|a|·|b|): Relative without a side that is measured by.
func (s *Stats) Apart() float64 {
	if s.AA == 0 || s.BB == 0 {
		return 0
	}
	return math.Sqrt(s.DD / math.Sqrt(s.AA*s.BB))
}

// StepsApart is the size of the change in lattice steps, of the side whose
// steps are larger; 0 where neither side's values all lie on a lattice. Side
// tells which, as in Within. Rounding to nearest gives √(1/12) = 0.29.
func (s *Stats) StepsApart() (size float64, side int) {
	for i := range s.Lattice {
		if s.Lattice[i] == s.N && s.Steps2[i] > s.Steps2[side] {
			side = i
		}
	}
	if s.N == 0 || s.Lattice[side] != s.N || s.Steps2[side] == 0 {
		return 0, side
	}
	return math.Sqrt(s.DD / s.Steps2[side]), side
}

// Kurtosis is that of the differences: 3 for Gaussian noise.
func (s *Stats) Kurtosis() float64 {
	if s.N == 0 || s.DD == 0 {
		return 0
	}
	n := float64(s.N)
	return s.D4 / n / (s.DD / n * s.DD / n)
}

// Merge adds the sums of other values.
func (s *Stats) Merge(o *Stats) {
	s.N += o.N
	s.Equal += o.Equal
	s.EqualNonzero += o.EqualNonzero
	s.ZeroA += o.ZeroA
	s.ZeroB += o.ZeroB
	s.ZeroOnlyA += o.ZeroOnlyA
	s.ZeroOnlyB += o.ZeroOnlyB
	for i := range s.Round {
		s.Round[i] += o.Round[i]
		s.Within[i] += o.Within[i]
		s.Lattice[i] += o.Lattice[i]
		s.Steps2[i] += o.Steps2[i]
	}
	s.AA += o.AA
	s.BB += o.BB
	s.AB += o.AB
	s.SumA += o.SumA
	s.SumB += o.SumB
	s.SumD += o.SumD
	s.DD += o.DD
	s.D4 += o.D4
	s.MaxD = math.Max(s.MaxD, o.MaxD)
}

// same tells whether two values are equal. Zeros of either sign are: where a
// value is too small for a type, converters disagree on the sign that is left.
func same(x, y float32) bool { return x == y || x != x && y != y }
