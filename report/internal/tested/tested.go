// Package tested is the stage of a comparison that runs the tests: a first look at
// few units of all layers, and further ones while the verdict is open.
package tested

import (
	"context"

	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/layers"
	"github.com/weightprint/weightprint/similarity/mlp"
	"github.com/weightprint/weightprint/similarity/suite"
)

// Tests is what the tests found.
type Tests struct {
	Facts verdict.Facts // that were given, with the evidence
	Looks []int         // the look of each piece of evidence, from 0
	Taken int           // looks that were taken
}

// trial is the stage under way. Where layers or heads turn out to stand elsewhere,
// it pairs them anew and tests again.
type trial struct {
	*read.Values
	Tests
	policy verdict.Policy
	known  verdict.Facts // before any test, for a second trial
	shaped bool          // roles of a subject were taken from shapes
}

// By runs the tests on values, beside what is known of them already. Where roles are
// taken from shapes instead, the values are from then on those of that pairing.
func By(ctx context.Context, v *read.Values, known verdict.Facts, policy verdict.Policy) (*Tests, error) {
	r := &trial{Values: v, Tests: Tests{Facts: known}, known: known, policy: policy}
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	return &r.Tests, nil
}

// run takes the steps of a trial in their order.
func (r *trial) run(ctx context.Context) error {
	r.note()
	for _, step := range []func(context.Context) error{r.align, r.looks, r.relabelled, r.byShape} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note adds to the facts what names and shapes tell, and what the plan allows.
func (r *trial) note() {
	f := &r.Facts
	f.TokensByString, f.Exhausted = r.TokensPaired(), r.Whole && r.Extent.Deep
	f.Width, f.HiddenUnits = r.Widths()
	f.Unseen = r.Unseen()
}

// align pairs by content what names have not paired.
func (r *trial) align(ctx context.Context) error {
	if len(r.A.Net.Generic) > 0 && len(r.B.Net.Generic) > 0 {
		equal, err := r.Equal(ctx)
		if err != nil {
			return err
		}
		if equal != nil {
			r.Facts.Equality = equal.Sum
		}
		if err := layers.PairGeneric(ctx, r.Pair); err != nil {
			return err
		}
	}
	return r.structure(ctx)
}

// looks takes look after look, the later ones only while the verdict is open or all
// are asked for.
func (r *trial) looks(ctx context.Context) error {
	for look := range axis.Stages() {
		if look > 0 && (r.Extent.Quick || !r.Extent.Deep && r.closed()) {
			break
		}
		if err := r.look(ctx, look); err != nil {
			return err
		}
		if look == 0 {
			if err := r.relook(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// closed tells whether another look would decide nothing.
func (r *trial) closed() bool {
	return r.settled() && r.Facts.HasContent() && !r.Facts.OriginOpen(r.policy.Level())
}

// look runs the tests of one look.
func (r *trial) look(ctx context.Context, look int) error {
	if look > 0 {
		if err := r.wholeLayers(ctx); err != nil {
			return err
		}
	}
	found, err := similarity.Run(ctx, r.Pair, suite.Stage(look))
	if err != nil {
		return err
	}
	for range found {
		r.Looks = append(r.Looks, look)
	}
	r.Facts.Evidence = append(r.Facts.Evidence, verdict.Sound(found)...)
	r.Taken = look + 1
	axes, err := axis.Read(ctx, r.Pair, look)
	if err != nil {
		return err
	}
	r.Settle()
	r.toldApart(axes)
	r.Facts.Detect(exact.Detect(axes, r.Facts.Corrected(r.policy.Level())))
	power := exact.FixedPointPower(axes, r.policy.Cosine, r.policy.Level())
	if power.Reached || look == 0 {
		r.Facts.Power = power
	}
	return nil
}

// wholeLayers reads the layers that are compared whole before samples of units take
// what is left of a budget: they alone show what needs neither tokens nor labels.
func (r *trial) wholeLayers(ctx context.Context) error {
	for _, t := range r.Pair.Towers {
		s, err := mlp.Read(ctx, r.Pair, t)
		if err != nil {
			return err
		}
		r.Facts.Short = r.Facts.Short || s.Short
	}
	return nil
}

// toldApart notes the share of MLP units that are neither constant nor
// duplicates.
func (r *trial) toldApart(axes []*axis.Axis) {
	var ok, all [2]int
	for _, x := range axes {
		if x.Coordinates != "raw" || x.Component != "mlp" && x.Component != "experts" {
			continue
		}
		for i, s := range []axis.Side{x.A, x.B} {
			for _, eligible := range s.Eligible {
				all[i]++
				if eligible {
					ok[i]++
				}
			}
		}
	}
	r.Facts.Eligible = 1
	for i := range all {
		if all[i] > 0 {
			r.Facts.Eligible = min(r.Facts.Eligible, float64(ok[i])/float64(all[i]))
		}
	}
}

// settled tells whether the exact tests have found a relation in every part of
// the body that they could test; what is left open asks for another look.
func (r *trial) settled() bool {
	any := false
	for _, part := range aligned.Parts(r.B.Net) {
		if part.Name == "embeddings" {
			continue
		}
		p, e := r.Facts.Best(func(e similarity.Evidence) bool { return verdict.PartName(e) == part.Name })
		if e == nil {
			continue
		}
		if p > r.policy.Level() {
			return false
		}
		any = true
	}
	return any
}

// Further runs tests of the caller's own on the pair as the suite left it. What they
// find is shown and takes no part in the verdict, whose error rates were measured
// without them.
func Further(ctx context.Context, v *read.Values, tests []*similarity.Test) ([]similarity.Evidence, error) {
	return similarity.Run(ctx, v.Pair, tests)
}
