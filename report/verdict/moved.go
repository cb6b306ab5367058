package verdict

import (
	"fmt"

	"github.com/weightprint/weightprint/similarity"
)

// The order of hidden units is free, so a copy whose roles are unknown may have any.
// Once units were put into the other side's order, equal values are a finding and
// likeness is none, however far beyond what arranging reaches: a task may determine the
// units of a small network, so that two trainings come to the same ones.

// Moved sums up the matrices of unknown role that were moved when units were put into
// the other side's order; see package similarity/relabel.
type Moved struct{ Matrices, Equal, Values int }

// movedContent asks whether all of them hold the same values then, bit for bit.
func (f *Facts) movedContent() string {
	m := f.Moved
	if m.Equal < movedMatrices || m.Equal < m.Matrices || m.Values < movedValues {
		return ""
	}
	return fmt.Sprintf("%d matrices hold the same values bit for bit once units were put into A's order: %d values of more than half precision", m.Equal, m.Values)
}

// ByValues tells whether a relation rests on equal values alone: it is exact, and has no
// p-value.
func (v *Verdict) ByValues() bool {
	return (v.Relation == Related || v.Relation == SharedInit) && v.Tier == "exact" && v.Log10P == nil
}

// putInOrder is the likeness of units that were put into the other side's order, nil
// where none were.
func (f *Facts) putInOrder() *similarity.Evidence {
	for i := range f.Evidence {
		if e := &f.Evidence[i]; e.Test == Likeness && e.Axis == relabelledAxis(generic) && e.Skipped == "" {
			return e
		}
	}
	return nil
}

// movedLikeness tells whether such units are more alike than any order makes units of
// networks that have nothing to do with each other.
func (f *Facts) movedLikeness() bool {
	e := f.putInOrder()
	return e != nil && e.Effect > e.Statistic
}
