package report

import (
	"context"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/measured"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/internal/tested"
)

// Compare opens the checkpoints that a and b name and compares them. Nil
// options are the defaults.
func Compare(ctx context.Context, a, b string, o *Options) (*Report, error) {
	ca, err := formats.Open(ctx, a, o.Opening())
	if err != nil {
		return nil, err
	}
	defer ca.Close()
	cb, err := formats.Open(ctx, b, o.Opening())
	if err != nil {
		return nil, err
	}
	defer cb.Close()
	r, err := Build(ctx, FromCheckpoint(ctx, ca), FromCheckpoint(ctx, cb), o)
	if err != nil {
		return nil, err
	}
	for _, c := range []*formats.Checkpoint{ca, cb} {
		if err := c.Verify(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Build compares two models that are already open. A LoRA adapter is applied to
// Options.Base, or where there is none to the other side.
//
// It is the comparison from end to end. Every stage takes finished values and hands
// one on; none calls back to one before it, and the packages import each other in
// this order only.
func Build(ctx context.Context, a, b Input, o *Options) (*Report, error) {
	subjects, err := open(a, b, o)
	if err != nil {
		return nil, err
	}
	if subjects.facts.Named != "" {
		return subjects.byName(ctx)
	}
	w := watch(o, subjects.in)
	defer w.end()

	w.stage(stageAlign)
	pairing := aligned.New(subjects.sides(), subjects.options.Nonce)
	plan := planned.Of(pairing, subjects.extent())
	values, err := read.Once(ctx, plan)
	if err != nil {
		return nil, err
	}
	w.stage(stageTest)
	policy := subjects.options.Policy
	tests, err := tested.By(ctx, values, subjects.facts, policy)
	if err != nil {
		return nil, err
	}
	w.stage(stageMeasure)
	measures, err := measured.From(ctx, values, tests.Facts, policy)
	if err != nil {
		return nil, err
	}
	w.stage(stageCarry)
	facts := measures.Facts
	if facts.Carry, err = measured.Carry(ctx, values, facts, policy); err != nil {
		return nil, err
	}
	w.stage(stageDecide)
	pictures, err := measured.Draw(ctx, values, &facts)
	if err != nil {
		return nil, err
	}
	decision, err := decide(ctx, subjects, values, facts)
	if err != nil {
		return nil, err
	}
	further, err := tested.Further(ctx, values, subjects.options.Tests)
	if err != nil {
		return nil, err
	}
	return describe(subjects, values, tests, measures, pictures, decision, further), nil
}
