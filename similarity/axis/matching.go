package axis

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
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

// Among is the matcher, with the same ranks, for other units of as many.
func (m *Matcher) Among(a, b []bool) *Matcher { return &Matcher{a, b, m.rankA, m.rankB} }

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

// InPlace counts the units of B whose nearest unit of A has the same index, as Nearest
// gives it; rows holds the units of B, and a those of A, each as vectors whose products
// tell how alike they are. A unit is held against others only until one is nearer, so that
// units without a counterpart cost a quarter of all products.
func (m *Matcher) InPlace(a *dense.Packed, rows [][]float32) int {
	open := make([]candidate, 0, len(rows))
	for j := range min(len(rows), len(m.a)) {
		if m.b[j] && m.a[j] {
			open = append(open, candidate{at: j})
		}
	}
	blocks := (len(m.a) + dense.Block - 1) / dense.Block
	buffer := make([]float32, len(rows)*dense.Block)
	for _, own := range []bool{true, false} { // what stands beside its counterpart is met first
		for block := range blocks {
			open = m.stillOpen(open, own, block, a, rows, buffer)
		}
	}
	return len(open)
}

// candidate is a unit of B that no unit of A yet is nearer to than that at its place.
type candidate struct {
	at int
	c  float32 // how alike the two are
}

// stillOpen holds candidates against a block of A's units: their own, or any other.
func (m *Matcher) stillOpen(open []candidate, own bool, block int, a *dense.Packed, rows [][]float32, buffer []float32) []candidate {
	var asked [][]float32
	takes := func(x candidate) bool { return x.at/dense.Block == block == own }
	for _, x := range open {
		if takes(x) {
			asked = append(asked, rows[x.at])
		}
	}
	if len(asked) == 0 {
		return open
	}
	columns, row, kept := a.Rows(buffer, asked, block), 0, open[:0]
	for _, x := range open {
		if !takes(x) {
			kept = append(kept, x)
			continue
		}
		likeness := buffer[row*dense.Block:][:columns]
		if row++; own {
			x.c = likeness[x.at%dense.Block]
		}
		if m.nearest(x, block*dense.Block, likeness) {
			kept = append(kept, x)
		}
	}
	return kept
}

// nearest tells whether none of the units of A from one on is nearer to a candidate.
func (m *Matcher) nearest(x candidate, first int, likeness []float32) bool {
	if !(x.c > float32(math.Inf(-1))) { // no number, either
		return false
	}
	for i, c := range likeness {
		if c >= x.c && m.a[first+i] && (c > x.c || m.rankA[first+i] < m.rankA[x.at]) {
			return false
		}
	}
	return true
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
