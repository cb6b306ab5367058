package report

import (
	"context"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/layers"
	"github.com/weightprint/weightprint/similarity/mlp"
	"github.com/weightprint/weightprint/similarity/suite"
)

// tests runs the looks, the later ones only while the verdict is open or the
// depth asks for them.
func (r *run) tests(ctx context.Context) error {
	if len(r.pair.A.Net.Generic) > 0 && len(r.pair.B.Net.Generic) > 0 {
		if err := r.equal(ctx); err != nil {
			return err
		}
		if err := layers.PairGeneric(ctx, r.pair); err != nil {
			return err
		}
	}
	if err := r.structure(ctx); err != nil {
		return err
	}
	for look := range axis.Stages() {
		if look > 0 && (r.o.Depth == Quick || r.o.Depth == Normal && r.settled() && r.facts.HasContent() && !r.facts.OriginOpen(r.o.Policy.Level())) {
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
	if err := r.relabelled(ctx); err != nil {
		return err
	}
	return r.byShape(ctx)
}

// look runs the tests of one look.
func (r *run) look(ctx context.Context, look int) error {
	if look > 0 {
		if err := r.wholeLayers(ctx); err != nil {
			return err
		}
	}
	found, err := similarity.Run(ctx, r.pair, suite.Stage(look))
	if err != nil {
		return err
	}
	for range found {
		r.looks = append(r.looks, look)
	}
	r.facts.Evidence = append(r.facts.Evidence, verdict.Sound(found)...)
	r.taken = look + 1
	axes, err := axis.Read(ctx, r.pair, look)
	if err != nil {
		return err
	}
	r.pair.Settle()
	r.toldApart(axes)
	r.facts.Detect(exact.Detect(axes, r.facts.Corrected(r.o.Policy.Level())))
	power := exact.FixedPointPower(axes, r.o.Policy.Cosine, r.o.Policy.Level())
	if power.Reached || look == 0 {
		r.facts.Power = power
	}
	return nil
}

// wholeLayers reads the layers that are compared whole before samples of units take
// what is left of a budget: they alone show what needs neither tokens nor labels.
func (r *run) wholeLayers(ctx context.Context) error {
	for _, t := range r.pair.Towers {
		if _, err := mlp.Read(ctx, r.pair, t); err != nil {
			return err
		}
	}
	return nil
}

// toldApart notes the share of MLP units that are neither constant nor
// duplicates.
func (r *run) toldApart(axes []*axis.Axis) {
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
	r.facts.Eligible = 1
	for i := range all {
		if all[i] > 0 {
			r.facts.Eligible = min(r.facts.Eligible, float64(ok[i])/float64(all[i]))
		}
	}
}

// widths is the width of the wider residual stream, and how many MLP units the
// layers of the smaller network have.
func (r *run) widths() (hidden, units int) {
	for i, n := range r.networks() {
		sum := 0
		for _, t := range n.Towers {
			hidden = max(hidden, t.Hidden)
			for _, l := range t.Layers {
				for _, e := range l.MLPs() {
					sum += e.Width()
				}
			}
		}
		if i == 0 || sum < units {
			units = sum
		}
	}
	return hidden, units
}

// tokensByString tells whether tokens of the two are paired by their strings,
// and enough of them.
func (r *run) tokensByString() bool {
	for _, t := range r.pair.Towers {
		if r.pair.TokensByString(t) {
			return true
		}
	}
	return false
}

// settled tells whether the exact tests have found a relation in every part of
// the body that they could test; what is left open asks for another look.
func (r *run) settled() bool {
	any := false
	for _, part := range parts(r.pair.B.Net) {
		if part.name == "embeddings" {
			continue
		}
		p, e := r.facts.Best(func(e similarity.Evidence) bool { return verdict.PartName(e) == part.name })
		if e == nil {
			continue
		}
		if p > r.o.Policy.Level() {
			return false
		}
		any = true
	}
	return any
}

// related tells whether anything was found.
func (r *run) related() bool {
	p, e := r.facts.Best(verdict.Any)
	return e != nil && p <= r.o.Policy.Level() || r.facts.Channels(verdict.Controls()).Found()
}
