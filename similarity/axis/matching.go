package axis

import (
	"math"

	"github.com/weightprint/weightprint/internal/rng"
)

// Matcher finds for units of one side those of the other that are most like
// them. Only eligible units take part. Units have ranks drawn at random, so that
// ties go to a random unit and never favour the same place on both sides.
type Matcher struct {
	a, b         []bool // eligible units
	rankA, rankB []int
}

// NewMatcher draws the ranks from a seed, for a purpose. a and b tell which
// units of the two sides are eligible.
func NewMatcher(seed []byte, purpose string, a, b []bool) *Matcher {
	return &Matcher{a, b, ranked(rng.New(seed, "ties of "+purpose).Perm(len(a))), ranked(rng.New(seed, "ties back of "+purpose).Perm(len(b)))}
}

// ranked gives each unit its place in an order.
func ranked(order []int) []int {
	out := make([]int, len(order))
	for at, i := range order {
		out[i] = at
	}
	return out
}

// Matcher is the one for the units of an axis.
func (x *Axis) Matcher() *Matcher { return NewMatcher(x.seed, x.Name, x.A.Eligible, x.B.Eligible) }

// Nearest returns for each unit of B the index of the unit of A most like it,
// -1 for units that are not eligible. likeness is units of B × units of A.
func (m *Matcher) Nearest(likeness []float32) []int {
	na := len(m.a)
	out := make([]int, len(m.b))
	for j := range out {
		out[j] = -1
		if !m.b[j] {
			continue
		}
		best := float32(math.Inf(-1))
		at := -1
		for i, c := range likeness[j*na : (j+1)*na] {
			if c >= best && m.a[i] && (c > best || at >= 0 && m.rankA[i] < m.rankA[at]) {
				best, at = c, i
			}
		}
		out[j] = at
	}
	return out
}

// back is Nearest the other way, for each unit of A.
func (m *Matcher) back(likeness []float32) []int {
	na := len(m.a)
	out, best := make([]int, na), make([]float32, na)
	for i := range out {
		out[i], best[i] = -1, float32(math.Inf(-1))
	}
	for j, ok := range m.b {
		if !ok {
			continue
		}
		for i, c := range likeness[j*na : (j+1)*na] {
			if c >= best[i] && m.a[i] && (c > best[i] || out[i] >= 0 && m.rankB[j] < m.rankB[out[i]]) {
				best[i], out[i] = c, j
			}
		}
	}
	return out
}

// Mutual keeps the matches that hold in both directions, so that each unit of
// A is used at most once; the others are -1.
func (m *Matcher) Mutual(likeness []float32) []int {
	forth, back := m.Nearest(likeness), m.back(likeness)
	for j, i := range forth {
		if i >= 0 && back[i] != j {
			forth[j] = -1
		}
	}
	return forth
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
