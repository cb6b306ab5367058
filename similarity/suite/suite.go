// Package suite lists the tests that a comparison runs. It is the only
// package that imports them all.
package suite

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/calibrated"
	"github.com/weightprint/weightprint/similarity/exact"
)

// Version counts the definitions of the tests: it rises whenever the same
// inputs may give another number.
const Version = 5

// Default lists every test of every stage.
func Default() []*similarity.Test {
	var all []*similarity.Test
	for stage := range axis.Stages() {
		all = append(all, Stage(stage)...)
	}
	return all
}

// Stage lists the tests of one stage: exact tests always, and from the second
// stage on the calibrated ones.
func Stage(stage int) []*similarity.Test {
	tests := append(exact.Tests(stage), calibrated.Learned(stage)...)
	tests = append(tests, calibrated.Likeness(stage))
	if stage > 0 {
		tests = append(tests, calibrated.Agreement(stage))
		tests = append(tests, calibrated.Invariants()...)
		tests = append(tests, exact.LabelE(stage), exact.UnitAnchored(), calibrated.HeldOut())
	}
	return tests
}

// Relabelled lists the tests for a pair whose units were put into one order by
// looking at them: those that no label enters.
func Relabelled() []*similarity.Test {
	return []*similarity.Test{calibrated.Likeness(len(axis.Stages()) - 1)}
}
