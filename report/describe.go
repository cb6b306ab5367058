package report

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/report/internal/measured"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/internal/tested"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/suite"
)

// describe puts what all stages found into a report. It reads nothing and decides
// nothing.
func describe(x *opened, v *read.Values, t *tested.Tests, m *measured.Measures, p measured.Pictures, d *decision, further []similarity.Evidence) *Report {
	o := x.options
	o.Dates = d.held.dates
	out := empty(o)
	out.Subjects, out.Verdict = d.subjects, d.verdict
	out.Power, out.Carry = o.Policy.Power(d.facts.Power), d.facts.Carry
	out.Methods, out.Seed = methods(o.Tests), hex.EncodeToString(v.Seed)
	if o.Nonce != "" {
		out.Nonce = &x.options.Nonce
	}
	out.Limits = append(slices.Clone(limits), positions(o, v.Whole))
	out.Warnings = append(out.Warnings, slices.Concat(v.Warnings, m.LeftOut, d.held.warnings)...)
	out.Evidence = append(out.Evidence, slices.Concat(evidence(t.Facts.Evidence, t.Looks), notTaken(t.Taken, v.Plan))...)
	for _, e := range further {
		out.Evidence = append(out.Evidence, shown(e, t.Taken))
	}
	if n := len(o.Tests); n > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d further tests were given by the caller; the verdict does not use them", n))
	}
	out.Components = components(v.B.Net, judging{d.facts, d.verdict, o.Policy})
	for _, l := range m.Layers {
		out.Layers = append(out.Layers, Layer(l))
	}
	out.Delta = values(&d.facts.Storage, m, p.Histogram)
	for _, l := range p.Roles {
		out.Roles = append(out.Roles, RoleLikeness{l.Role, l.Matrices, l.Rows, verdict.Number(l.Cosine), verdict.Number(l.Mean), verdict.Number(l.SD)})
	}
	out.LayerScores = (*LayerScores)(p.Scores)
	return out
}

// empty is a report that states nothing yet but how it is made.
func empty(o Options) *Report {
	return &Report{
		Schema: Schema, Tool: ThisTool(), Options: o, Propositions: verdict.StatedPropositions(), Methods: methods(nil), Policy: verdict.CurrentRules(),
		Components: []Component{}, Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{}, Roles: []RoleLikeness{},
	}
}

// positions says whether somebody could have foreseen what was read.
func positions(o Options, whole bool) string {
	switch {
	case o.Nonce != "":
		return "Sampled positions follow from the names and shapes of both subjects and from the nonce that is named among the options: nobody could foresee them who did not know it when the files were made."
	case whole:
		return "Sampled positions follow from the names and shapes of both subjects, so that they could have been foreseen; every value was read all the same."
	}
	return "Sampled positions follow from the names and shapes of both subjects, so that whoever made a file could have foreseen them and aimed at them: what could be gained by that is allowed for. With --nonce TEXT nobody can."
}

// limits is what no comparison of weights can show.
var limits = []string{
	"A relation means a common trained origin or, where the verdict says so, a common random initialisation. It does not say who copied from whom, nor that copying was wrong.",
	"Distillation from outputs and training on the same data are not what these tests look for; no verdict excludes them.",
	"Error rates were measured on small networks, of fewer than a million parameters: under this policy none of 1830 pairs of strangers was given a relation, which is a rate of at most 0.16 % with 95 % confidence; pairs that share a model count for less. The control population is of such networks too. On large ones neither was measured; the bound on p under H0 rests on neither.",
}

// evidence is what tests found, as reports hold it. Single layers are left out: they
// are summed up under layers.
func evidence(all []similarity.Evidence, looks []int) (out []Evidence) {
	for i, e := range all {
		if e.LayerB < 0 {
			out = append(out, shown(e, looks[i]+1))
		}
	}
	return out
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
func notTaken(taken int, p *planned.Plan) (out []Evidence) {
	why := "the verdict was settled before this look"
	if p.Extent.Quick {
		why = "depth quick: the first look only"
	}
	for look := taken; look < len(axis.Stages()); look++ {
		for _, t := range suite.Stage(look) {
			out = append(out, Evidence{Test: t.Name, Axis: "all", Component: "all", Tier: string(t.Tier), Look: look + 1, Skipped: why, Warnings: []string{}})
		}
	}
	return out
}
