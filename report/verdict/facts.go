package verdict

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Facts is all that a decision rests on.
type Facts struct {
	Evidence []similarity.Evidence
	Power    exact.Power
	Weakest  []exact.Detectable // likeness that the tests on labels would have found, by component
	Storage  Storage
	Spectra  []delta.RoleSpectrum

	BatchNorms delta.BatchNorms // those that explain the factors of rows
	Shape      architecture.Shape
	Adapter    [2]string // what adapter a subject has applied, in words

	Moved          Moved   // matrices of unknown role, where units were put into the other side's order
	Named          string  // why the subjects' files are the same without their being read; empty where they are read
	Tautology      string  // why what the subjects share follows from how they were opened; empty where it does not
	Width          int     // of the wider residual stream, 0 where there is none
	HiddenUnits    int     // MLP units of all layers of the smaller network
	Unforeseen     bool    // the positions that were read follow from what nobody knew when the files were made
	TokensByString bool    // tokens of the two were paired by their strings
	Eligible       float64 // share of the MLP units of either side that could be told apart, the smaller one

	Unseen float64 // values without a part that is held against the other side, as a share of what the other side has; the larger of both

	Carry *Carry // nil where it was not asked for

	Repeats   bool     // two layers of A have the same source in B
	Equality  Equality // which tensors hold the same values, whatever their names
	Dates     Dates    // of both subjects, with what was assumed beside them
	Readings  int      // ways in which the roles of the subjects could be read, of which one was chosen; 0 where names tell them
	Spent     int      // exact tests whose results were given up because the layers were paired anew
	Exhausted bool     // everything was read and every test was tried
	Short     bool     // the budget does not hold two whole layers of either side
}

// Sound returns evidence whose probabilities can be stated. One that is no
// number counts as a test that found nothing, so that it never helps a verdict.
func Sound(all []similarity.Evidence) []similarity.Evidence {
	all = slices.Clone(all)
	for i := range all {
		e := &all[i]
		if e.P == nil {
			continue
		}
		p := min(max(*e.P, smallest), 0)
		if math.IsNaN(float64(p)) {
			p = 0
			e.Warnings = append(slices.Clone(e.Warnings), "the test gave no number; counted as p = 1")
		}
		e.P = &p
	}
	return all
}

// ExactTests counts the exact tests that gave a pooled p-value: the number of
// chances a false alarm had.
func (f *Facts) ExactTests() int {
	n := f.Spent
	for _, e := range f.Evidence {
		if e.P != nil && e.LayerB < 0 {
			n++
		}
	}
	return n * max(1, f.Readings)
}

// Best returns the smallest p-value over all pooled exact tests that fit,
// corrected for the number of tests in all.
func (f *Facts) Best(fits func(similarity.Evidence) bool) (p stats.LogP, e *similarity.Evidence) {
	for i := range f.Evidence {
		x := &f.Evidence[i]
		if x.P != nil && x.LayerB < 0 && fits(*x) && (e == nil || *x.P < p) {
			p, e = *x.P, x
		}
	}
	if e == nil {
		return 0, nil
	}
	return stats.Bonferroni(p, f.ExactTests()), e
}

// Any fits every test.
func Any(similarity.Evidence) bool { return true }

// placed fits the exact tests on labels of units, which a change of basis or
// order hides from.
func placed(e similarity.Evidence) bool { return e.Test != TokenSigns }

// Unplaced tells whether no exact test on labels found anything.
func (f *Facts) Unplaced(level stats.LogP) bool {
	p, _ := f.Best(placed)
	return p > level
}

// blind tells whether the tests that see through a disguise were run and found
// nothing to work on.
func (f *Facts) blind() bool {
	return slices.ContainsFunc(f.Evidence, func(e similarity.Evidence) bool {
		return e.Test == Agreement && e.Skipped != "" && e.Component != everywhere
	})
}

// PartName is the component of a test with its tower, unless that is the main
// one.
func PartName(e similarity.Evidence) string { return PartOf(e.Tower, e.Component) }

// PartOf is the name of a component of a tower.
func PartOf(tower, component string) string {
	if tower == mainTower || tower == "" {
		return component
	}
	return tower + "." + component
}
