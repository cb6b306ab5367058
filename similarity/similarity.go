// Package similarity turns two networks into evidence: test results that each
// state their null, their statistic, their effect and a p-value or the
// controls they were held against. It decides nothing; package report does.
//
//  1. An [align.Pair] names the two subjects and which towers and layers of
//     them are held against each other (packages align and layers).
//  2. Its axes are sets of units that a symmetry of the network relabels; for
//     each a sample of units is read from both sides (package axis).
//  3. A [Test] looks at axes or matrices and returns [Evidence] (packages exact
//     and calibrated; package suite lists them all). [Run] runs a list of
//     tests, one after the other, in the order given.
//
// Package stats holds the p-values. Package sketches runs tests on fingerprints,
// without weights, and package index searches many of them.
//
// Exact-tier tests have one null: the two networks come from independent
// random initialisations. Training commutes with relabelling hidden units, so
// under it the units of one network carry labels in uniformly random order as
// seen from the other, whatever the training data, the recipe or later edits.
// They state no direction and do not tell a copy from a shared seed.
package similarity

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Tier separates closed-form p-values from scores held against controls.
type Tier string

// The two tiers. They are never mixed into one number.
const (
	Exact      Tier = "exact"
	Calibrated Tier = "calibrated"
)

// Evidence is one result of one test.
type Evidence struct {
	Test      string      // the test's name
	Axis      string      // which units: a role, or a component when pooled
	Component string      // "mlp", "attention", "embeddings", "experts", "generic"
	Tower     string      // of B
	LayerA    int         // -1 when pooled over layers
	LayerB    int         // -1 when pooled over layers
	Tier      Tier        // exact or calibrated
	Statistic float64     // what was counted or summed
	Effect    float64     // size of the likeness, 0 none, 1 complete
	N         int         // units, or pairs of units, that took part
	P         *stats.LogP // nil when the test gives no p-value
	Null      string      // what the p-value assumes
	Skipped   string      // why the test did not run; empty when it did
	Warnings  []string
}

// Test is one way of looking at a pair. Tests are values, listed explicitly
// by the caller.
type Test struct {
	Name string
	Doc  string
	Tier Tier // of its evidence
	Run  func(ctx context.Context, p *align.Pair) ([]Evidence, error)
}

// Run runs the tests in order and returns all their evidence. A test's error
// is a failure of reading, never a finding; it ends the run.
func Run(ctx context.Context, p *align.Pair, tests []*Test) ([]Evidence, error) {
	var all []Evidence
	for _, t := range tests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, err := t.Run(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}
