package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// sameFunction finds changes of basis inside single matrices that leave the
// function as it is: gains moved into the matrices behind them, means that norms take away, heads in
// another order, values or queries turned inside their heads, and units whose
// up and down matrices were scaled against each other.
func sameFunction(f *Facts, _ stats.LogP) []finding {
	folded, plain := f.folded()
	if folded.N > 0 && plain.Apart() > foldedLeast && folded.Apart() < foldedLeft*plain.Apart() {
		d := Undetermined
		for _, marked := range [][2]bool{f.Shape.FlatGains, f.Shape.Rescaled} {
			if marked[0] != marked[1] && d == Undetermined {
				d = marksOn(marked)
			}
		}
		return []finding{{Reparameterised, fmt.Sprintf("with norm gains folded in the values differ by %.2g of their size, without by %.2g: gains were moved into matrices", folded.Apart(), plain.Apart()), d}}
	}
	if centred, plain := f.centred(); centred.N > 0 && plain.Apart() > foldedLeast && centred.Apart() < foldedLeft*plain.Apart() {
		return []finding{{Reparameterised, fmt.Sprintf("without the means that the norms take away the values differ by %.2g of their size, with them by %.2g: something was added that the norms take away", centred.Apart(), plain.Apart()), Undetermined}}
	}
	if s := f.Shape.Rescaled; s[0] != s[1] {
		return []finding{{Reparameterised, rescaledWords(index(s)), marksOn(s)}}
	}
	if f.Shape.HeadsMoved {
		return []finding{{Reparameterised, "attention heads stand in another order", Undetermined}}
	}
	qk, vo, units := f.RoleCosine(".attn.q", ".attn.k"), f.RoleCosine(".attn.v", ".attn.o"), f.componentCosine(mlp, experts)
	if qk != 0 && vo != 0 && units > turnedAround && min(qk, vo) < turnedBelow && max(qk, vo) > turnedAround {
		what := "queries and keys"
		if vo < qk {
			what = "values and outputs"
		}
		return []finding{{Reparameterised, fmt.Sprintf("%s differ (cosine %.2f) where everything around them is alike (%.2f): they were turned inside their heads, or trained anew", what, min(qk, vo), max(qk, vo)), Undetermined}}
	}
	if i := scaled(f.Shape.Imbalance); i >= 0 {
		return []finding{{Reparameterised, f.scaledApart(i), []Direction{BToA, AToB}[i]}}
	}
	return nil
}

// index is the side that is marked, of two of which one is.
func index(marked [2]bool) int {
	if marked[0] {
		return 0
	}
	return 1
}

// marksOn is the direction towards the one side that is marked.
func marksOn(marked [2]bool) Direction { return []Direction{BToA, AToB}[index(marked)] }

func rescaledWords(i int) string {
	return fmt.Sprintf("norm gains of %s vary against the columns behind them, as when they were multiplied and these divided", Side(i))
}

// folded sums up how the body differs with norm gains folded into the matrices
// behind them, and how the same matrices differ as they are.
func (f *Facts) folded() (folded delta.Folded, plain delta.Stats) {
	return f.bodyBy(func(c *delta.Change) *delta.Folded { return &c.Folded })
}

// centred does so without the means that norms take away.
func (f *Facts) centred() (centred delta.Folded, plain delta.Stats) {
	return f.bodyBy(func(c *delta.Change) *delta.Folded { return &c.Centred })
}

func (f *Facts) bodyBy(of func(*delta.Change) *delta.Folded) (summed delta.Folded, plain delta.Stats) {
	for i := range f.Storage.Changes {
		if c := &f.Storage.Changes[i]; of(c).N > 0 && ofBody(c.Component) {
			summed.Merge(of(c))
			plain.Merge(&c.Stats)
		}
	}
	return summed, plain
}

// gainsMoved tells whether somebody moved gains into matrices or out of them, so
// that gains as they stand say nothing about training: those of one side are
// all equal or go against the columns behind them, or matrices are clearly more
// alike with the gains than without.
func (f *Facts) gainsMoved() bool {
	s := &f.Shape
	folded, plain := f.folded()
	return s.FlatGains[0] != s.FlatGains[1] || s.Rescaled[0] || s.Rescaled[1] || folded.N > 0 && folded.Apart() < foldedClearly*plain.Apart()
}

// RoleCosine is the mean cosine of the values whose role ends so.
func (f *Facts) RoleCosine(ends ...string) float64 {
	var s delta.Stats
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		for _, e := range ends {
			if strings.HasSuffix(c.Role, e) {
				s.Merge(&c.Stats)
			}
		}
	}
	return s.Cosine()
}

// inDisguise states a disguise, and its direction where marks show it.
func inDisguise(f *Facts, level stats.LogP) []finding {
	if f.movedContent() != "" {
		if f.Moved.Ordered == 0 && f.changes().rows >= f.Moved.Scaled {
			return nil // rows were scaled and nothing against them
		}
		return []finding{{Reparameterised, f.Moved.how(), Undetermined}}
	}
	if !f.inDisguise(level) {
		return nil
	}
	words, d := "units, heads or the residual stream of one side were relabelled or rotated: consistent with a re-parameterised copy", Undetermined
	if s := &f.Shape; s.FlatGains[0] != s.FlatGains[1] {
		d = marksOn(s.FlatGains)
		words += fmt.Sprintf("; all norm gains of %s are equal, as when they were folded away", Side(index(s.FlatGains)))
	} else if s.Rescaled[0] != s.Rescaled[1] {
		d = marksOn(s.Rescaled)
		words += "; " + rescaledWords(index(s.Rescaled))
	} else if i := scaled(s.Imbalance); i >= 0 {
		d = []Direction{BToA, AToB}[i]
		words += "; " + f.scaledApart(i)
	}
	return []finding{{Reparameterised, words, d}}
}

// scaledApart says that the units of a side were scaled.
func (f *Facts) scaledApart(i int) string {
	v := f.Shape.Imbalance
	return fmt.Sprintf("the units of %s are scaled apart (%.2g, where training left %.2g on the other side)", Side(i), v[i], v[1-i])
}

// scaled names the side whose MLP units were scaled at random: unbalanced by a
// factor of 1.35 and more, and five times as much as the other side, which has
// what training leaves and not the exact balance of a second scaling. -1 for
// neither.
func scaled(imbalance [2]float64) int {
	for i, v := range imbalance {
		if o := imbalance[1-i]; v >= scaledLeast && o >= scaledTrained && v >= scaledTimes*o {
			return i
		}
	}
	return -1
}

// inDisguise is the signature of a re-parameterisation: what does not depend
// on labels or basis shows the relation, and what does, does not.
func (f *Facts) inDisguise(level stats.LogP) bool {
	at := func(test, axis string) stats.LogP {
		p, _ := f.Best(func(e similarity.Evidence) bool { return e.Test == test && e.Axis == axis })
		return p
	}
	for _, c := range []string{mlp, experts} {
		placed := min(at(FixedPoints, c), at(Order, c))
		if placed > level && at(Signs, c) <= level {
			return true // same units, other labels
		}
		anchored := anchoredAxis(c)
		if f.Shape.Hidden[0] == f.Shape.Hidden[1] && placed > level && min(at(FixedPoints, anchored), at(Order, anchored), at(Signs, anchored)) <= level {
			return true // same units, other basis
		}
		if placed <= level && f.mostlyPlaced(c) && f.flipped(c) {
			return true // same places, other signs
		}
	}
	p, _ := f.Best(anyBody)
	return p > level && f.Channels(Controls()).Found()
}

func anyBody(e similarity.Evidence) bool { return ofBody(e.Component) }

// mostlyPlaced tells whether most units of a component stand at their places: where
// few do, the signs of the others are those of a coin because they are of another
// origin.
func (f *Facts) mostlyPlaced(component string) bool {
	for _, e := range f.Evidence {
		if (e.Test == FixedPoints || e.Test == Order) && (e.Axis == component || e.Axis == anchoredAxis(component)) && e.Skipped == "" && e.Effect >= mostUnits {
			return true
		}
	}
	return false
}

// flipped tells whether the signs of units that match are those of a coin.
func (f *Facts) flipped(component string) bool {
	for _, e := range f.Evidence {
		if e.Test == Signs && e.Axis == component && e.P != nil && e.N >= flippedUnits {
			return math.Abs(e.Effect-0.5) < flippedShare
		}
	}
	return false
}
