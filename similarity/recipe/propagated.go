package recipe

import (
	"math"
	"slices"
)

// shown withdraws "trained" where a remainder does not show it. One parent that is
// not quite the child is as well a sibling of it. And where a weight is negative the
// child may be what a parent was mixed from: the fit undoes that mixture, and
// enlarges the rounding of the parents' own storage.
func (f *fitting) shown(e *explanation, found After) After {
	switch {
	case (found == Trained || found == Missing || found == Open) && e.method == Unknown && len(f.use) > 1 && f.chosen(e):
		return Remains
	case found != Trained:
		return found
	case len(f.use) == 1:
		return Remains
	case e.method == Unknown && f.undone(e) && f.parentsRounding(e):
		return Rounded
	case e.method == Unknown && f.undone(e) && f.blocked(): // whose rounding cannot be told value by value
		return Remains
	}
	return found
}

// undone tells whether a weight is negative by more than chance leaves.
func (f *fitting) undone(e *explanation) bool {
	return slices.ContainsFunc(e.weights, func(w float64) bool { return w < -noBase })
}

// blocked tells whether a parent that takes part is stored in a type whose steps are
// not its values' own, as those of quantised blocks.
func (f *fitting) blocked() bool {
	return slices.ContainsFunc(f.all, func(t *tensorFit) bool {
		return slices.ContainsFunc(f.use, func(k int) bool { return t.x[k] != nil && bitsOf(t.stored[k]) == 0 })
	})
}

// parentsRounding tells whether the matrices are the mixture's within the child's
// rounding and, for every parent, half a step of its own type times the weight: the
// most that errors of rounding can add up to.
func (f *fitting) parentsRounding(e *explanation) bool {
	var total account
	for i, t := range f.all {
		if p := e.predict(i); !t.vector && p != nil {
			total.merge(f.beyondParents(t, p, e.own[i]))
		}
	}
	return total.explains()
}

// beyondParents counts the values of a tensor that lie further from the prediction
// than the rounding of the child and of the parents takes them.
func (f *fitting) beyondParents(t *tensorFit, p, weights []float64) (a account) {
	child, parents := storageOf(t.dtype), make([]storage, f.n)
	for k := range parents {
		parents[k] = storageOf(t.stored[k])
	}
	for j, y := range t.y {
		most := (0.5 + child.slack) * child.step(y)
		for k, w := range weights {
			if x := t.x[k]; w != 0 && x != nil {
				most += float64((0.5 * math.Abs(w)) * parents[k].step(x[j]))
			}
		}
		a.values++
		if !(math.Abs(float64(y)-p[j]) <= most) {
			a.off++
		}
	}
	return a
}
