package align

import (
	"math"

	"github.com/weightprint/weightprint/formats/roles"
)

// The budget is a number of bytes that may be decoded of each subject. Whoever
// reads asks first, with Reserve; what is decoded books itself in the accounts of
// the two subjects, so that what was promised and not used can be promised again,
// and what is read a second time from memory costs nothing.

// NoLimit is the budget of a pair of which everything may be read.
const NoLimit int64 = 0

// Bounded tells whether a budget limits what may be read.
func (p *Pair) Bounded() bool { return p.Budget > NoLimit }

// Left is how many bytes may still be promised of the dearer side. It means
// nothing where there is no limit.
func (p *Pair) Left() int64 {
	left := p.Budget - p.aside
	for _, a := range p.accounts() {
		left = min(left, p.Budget-p.aside-a.booked())
	}
	return max(0, left)
}

// valuesAside is the part of a budget that is set aside at first, so that values in
// the same role can be compared whatever the tests before have read.
const valuesAside = 16

// Release lets the reads that follow have what was set aside, and gives back what was
// promised and not read.
func (p *Pair) Release() {
	p.aside = 0
	p.Settle()
}

// Reserve is how many of n things that cost each so many bytes, of the dearer
// side, the budget still allows to read, and holds that much for the reads that
// follow.
func (p *Pair) Reserve(each int64, n int) int {
	if p.Bounded() && each > 0 {
		n = int(min(int64(n), p.Left()/each))
	}
	p.Hold(int64(n) * each)
	return n
}

// Within is how many things that cost each so many bytes a percentage of what the
// budget leaves allows to read.
func (p *Pair) Within(each int64, percent int) int {
	if !p.Bounded() || each <= 0 {
		return math.MaxInt
	}
	return int(min(math.MaxInt32, p.Left()*int64(percent)/100/each))
}

// Hold holds bytes for the reads that follow; Fits has told that there are so many.
func (p *Pair) Hold(bytes int64) {
	if p.Bounded() {
		for _, a := range p.accounts() {
			a.hold(bytes)
		}
	}
}

// Settle gives back what is held and was not read.
func (p *Pair) Settle() {
	for _, a := range p.accounts() {
		a.settle()
	}
}

// Fits tells whether so many bytes are within a percentage of what the budget
// leaves.
func (p *Pair) Fits(bytes int64, percent int) bool {
	return !p.Bounded() || bytes <= p.Left()*int64(percent)/100
}

// ReserveVectors is Reserve for a vector of either side, which is read whole; nil
// costs nothing.
func (p *Pair) ReserveVectors(a, b *roles.Vector) bool {
	bytes := max(a.Cost(), b.Cost())
	return bytes == 0 || p.Reserve(bytes, 1) > 0
}

// VectorsWithin drops the vectors of a matching that the budget does not allow to
// read any more, and reserves the others. It returns how many it dropped.
func (p *Pair) VectorsWithin(m *Matching) (dropped int) {
	kept := m.Vectors[:0]
	for _, v := range m.Vectors {
		if p.ReserveVectors(v.A, v.B) {
			kept = append(kept, v)
		} else {
			dropped++
		}
	}
	m.Vectors = kept
	return dropped
}

// rowsEach is how many rows of every matrix are compared under a budget.
const rowsEach = 16

// RowsWithin is how many rows of every matrix of a matching the budget still
// allows to read, at most 16. Where it does not allow one of each, it drops
// matrices, evenly, and returns how many.
func (p *Pair) RowsWithin(m *Matching, cost func(x MatrixPair, rows int) int64) (rows, dropped int) {
	total := func(rows int) (n int64) {
		for _, x := range m.Matrices {
			n += cost(x, rows)
		}
		return n
	}
	all := len(m.Matrices)
	for rows = rowsEach; p.Bounded() && rows > 1 && !p.Fits(total(rows), rowsShare); {
		rows--
	}
	for len(m.Matrices) > 0 && !p.Fits(total(rows), rowsShare) {
		var some []MatrixPair
		for _, i := range Spread(len(m.Matrices), len(m.Matrices)/2) {
			some = append(some, m.Matrices[i])
		}
		m.Matrices = some
	}
	p.Hold(total(rows))
	return rows, all - len(m.Matrices)
}

// rowsShare is the percentage of what is left that rows of all matrices may take.
const rowsShare = 90

// Spread picks k of n positions, evenly.
func Spread(n, k int) []int {
	if k >= n {
		k = n
	}
	out := make([]int, k)
	for i := range out {
		out[i] = (2*i + 1) * n / (2 * k)
	}
	return out
}
