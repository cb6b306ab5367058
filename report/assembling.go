package report

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/suite"
)

// report puts everything together.
func (r *run) report(ctx context.Context) (*Report, error) {
	out := &Report{
		Schema: Schema, Tool: ThisTool(), Options: r.o, Propositions: verdict.StatedPropositions(),
		Power: r.o.Policy.Power(r.facts.Power), Carry: r.facts.Carry, Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{},
		Roles: []RoleLikeness{}, Methods: methods(r.o.Tests), Policy: verdict.CurrentRules(), Seed: hex.EncodeToString(r.pair.Seed),
	}
	if r.o.Nonce != "" {
		out.Nonce = &r.o.Nonce
	}
	if err := r.pictured(ctx, out); err != nil {
		return nil, err
	}
	compared := [2]int64{r.in[0].BytesRead(), r.in[1].BytesRead()} // without what only pinning reads
	for i, in := range r.in {
		s, err := in.pin(ctx, r.whole, r.o.Pin || r.o.dated(), r.digests[i])
		if err != nil {
			return nil, err
		}
		out.Subjects[i] = s
	}
	if err := r.date(ctx, &out.Subjects); err != nil {
		return nil, err
	}
	out.Options, out.Verdict = r.o, r.o.Policy.Decide(r.facts)
	for i, in := range r.in {
		out.Subjects[i].BytesRead = compared[i]
		if r.whole {
			out.Subjects[i].BytesRead = in.BytesRead()
		}
	}
	out.Limits = append(slices.Clone(limits), r.positions())
	out.Warnings = append(out.Warnings, r.warn...)
	r.evidence(out)
	r.notTaken(out)
	if err := r.further(ctx, out); err != nil {
		return nil, err
	}
	out.Components = r.components(out.Verdict)
	out.Layers = r.layers()
	out.Delta = r.delta()
	return out, nil
}

// positions says whether somebody could have foreseen what was read.
func (r *run) positions() string {
	switch {
	case r.o.Nonce != "":
		return "Sampled positions follow from the names and shapes of both subjects and from the nonce that is named among the options: nobody could foresee them who did not know it when the files were made."
	case r.whole:
		return "Sampled positions follow from the names and shapes of both subjects, so that they could have been foreseen; every value was read all the same."
	}
	return "Sampled positions follow from the names and shapes of both subjects, so that whoever made a file could have foreseen them and aimed at them: what could be gained by that is allowed for. With --nonce TEXT nobody can."
}

// limits is what no comparison of weights can show.
var limits = []string{
	"A relation means a common trained origin or, where the verdict says so, a common random initialisation. It does not say who copied from whom, nor that copying was wrong.",
	"Distillation from outputs and training on the same data leave no trace in weights.",
}

func (r *run) evidence(out *Report) {
	for i, e := range r.facts.Evidence {
		if e.LayerB < 0 { // the others are summed up under layers
			out.Evidence = append(out.Evidence, shown(e, r.looks[i]+1))
		}
	}
}

// shown is a piece of evidence as reports hold it.
func shown(e similarity.Evidence, look int) Evidence {
	x := Evidence{Test: e.Test, Axis: e.Axis, Component: e.Component, Tier: string(e.Tier), Statistic: verdict.Number(e.Statistic), Effect: verdict.Number(e.Effect), N: e.N, Null: e.Null, Look: look, Skipped: e.Skipped, Warnings: append([]string{}, e.Warnings...)}
	if e.P != nil {
		x.Log10P = verdict.NumberOf(e.P.Log10())
	}
	if e.Tier == similarity.Calibrated && e.Skipped == "" {
		x.Controls = verdict.Controls().Stand(e.Test, e.Effect, e.N)
	}
	return x
}

// notTaken lists the tests of the looks that were not taken, with the reason.
func (r *run) notTaken(out *Report) {
	why := "the verdict was settled before this look"
	if r.o.Depth == Quick {
		why = "depth quick: the first look only"
	}
	for look := r.taken; look < len(axis.Stages()); look++ {
		for _, t := range suite.Stage(look) {
			out.Evidence = append(out.Evidence, Evidence{Test: t.Name, Axis: "all", Component: "all", Tier: string(t.Tier), Look: look + 1, Skipped: why, Warnings: []string{}})
		}
	}
}

// further runs the caller's own tests. What they find is shown and takes no
// part in the verdict, whose error rates were measured without them.
func (r *run) further(ctx context.Context, out *Report) error {
	if len(r.o.Tests) == 0 {
		return nil
	}
	found, err := similarity.Run(ctx, r.pair, r.o.Tests)
	if err != nil {
		return err
	}
	for _, e := range found {
		out.Evidence = append(out.Evidence, shown(e, r.taken))
	}
	out.Warnings = append(out.Warnings, fmt.Sprintf("%d further tests were given by the caller; the verdict does not use them", len(r.o.Tests)))
	return nil
}
