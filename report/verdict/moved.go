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
type Moved struct{ Matrices, Equal, Ordered, Scaled, Values int }

// movedContent asks whether all of them hold the same values then, bit for bit, or to
// rounding where units were scaled as well.
func (f *Facts) movedContent() string {
	m := f.Moved
	if m.Equal < movedMatrices || m.Equal < m.Matrices || m.Values < movedValues {
		return ""
	}
	same := "bit for bit once"
	if m.Scaled > 0 {
		same = "to rounding once rows and inputs are multiplied by one number each and"
	}
	return fmt.Sprintf("%d matrices hold the same values %s units were put into A's order: %d values of more than half precision", m.Equal, same, m.Values)
}

// how says what was done to the units.
func (m Moved) how() string {
	switch {
	case m.Scaled == 0:
		return "units stand in another order"
	case m.Ordered == 0:
		return "units were scaled, and what reads them was scaled against it"
	}
	return "units stand in another order and were scaled, and what reads them was scaled against it"
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
