package axis

import (
	"math"

	"github.com/weightprint/weightprint/internal/rng"
)

// Matcher finds for units of one side those of the other that are most like
// them. Only eligible units take part. Units are tried in an order drawn at
// random, so that ties go to a random unit and never favour the same place on
// both sides.
type Matcher struct {
	a, b           []bool // eligible units
	orderA, orderB []int
}

// NewMatcher draws the orders from a seed, for a purpose. a and b tell which
// units of the two sides are eligible.
func NewMatcher(seed []byte, purpose string, a, b []bool) *Matcher {
	return &Matcher{a, b, rng.New(seed, "ties of "+purpose).Perm(len(a)), rng.New(seed, "ties back of "+purpose).Perm(len(b))}
}

// Matcher is the one for the units of an axis.
func (x *Axis) Matcher() *Matcher { return NewMatcher(x.seed, x.Name, x.A.Eligible, x.B.Eligible) }

// Nearest returns for each unit of B the index of the unit of A most like it,
// -1 for units that are not eligible. likeness is units of B × units of A.
func (m *Matcher) Nearest(likeness []float32) []int {
	na := len(m.a)
	return nearest(m.a, m.b, m.orderA, func(j, i int) float32 { return likeness[j*na+i] })
}

// Mutual keeps the matches that hold in both directions, so that each unit of
// A is used at most once; the others are -1.
func (m *Matcher) Mutual(likeness []float32) []int {
	na := len(m.a)
	forth := m.Nearest(likeness)
	back := nearest(m.b, m.a, m.orderB, func(i, j int) float32 { return likeness[j*na+i] })
	for j, i := range forth {
		if i >= 0 && back[i] != j {
			forth[j] = -1
		}
	}
	return forth
}

// nearest returns for each eligible unit "of" the eligible one "among" that is
// most like it, the first in order where several are.
func nearest(among, of []bool, order []int, likeness func(of, among int) float32) []int {
	out := make([]int, len(of))
	for j := range out {
		out[j] = -1
		if !of[j] {
			continue
		}
		best := float32(math.Inf(-1))
		for _, i := range order {
			if c := likeness(j, i); among[i] && c > best {
				best, out[j] = c, i
			}
		}
	}
	return out
}

// Likeness is how alike units are in a view. Where units change sign, their
// cosines count by size, so that an attacker's sign flips change nothing.
func (v *View) Likeness() []float32 {
	if !v.SignEquivariant {
		return v.Cosine
	}
	out := make([]float32, len(v.Cosine))
	for k, c := range v.Cosine {
		out[k] = float32(math.Abs(float64(c)))
	}
	return out
}
