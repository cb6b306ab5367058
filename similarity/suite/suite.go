// Package suite lists the tests that a comparison runs. It is the only
// package that imports them all.
package suite

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/anchored"
	"github.com/weightprint/weightprint/similarity/invariants"
	"github.com/weightprint/weightprint/similarity/learned"
	"github.com/weightprint/weightprint/similarity/units"
)

// Version counts the definitions of the tests: it rises whenever the same
// inputs may give another number.
const Version = 2

// Default lists every test of every look.
func Default() []*similarity.Test {
	var all []*similarity.Test
	for look := range similarity.Looks {
		all = append(all, Look(look)...)
	}
	return all
}

// Look lists the tests of one look: exact tests always, and from the second
// look on the calibrated ones.
func Look(look int) []*similarity.Test {
	tests := append(units.Tests(look), learned.Tests(look)...)
	if look > 0 {
		tests = append(tests, anchored.Agreement(look))
		tests = append(tests, invariants.Tests()...)
	}
	return tests
}
