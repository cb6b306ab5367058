package report

import (
	"github.com/weightprint/weightprint/report/verdict"
)

// Assemble makes a report of facts, without models.
func Assemble(f verdict.Facts) *Report {
	f.Evidence = verdict.Sound(f.Evidence)
	o := (&Options{}).WithDefaults()
	out := &Report{Schema: Schema, Tool: Tool{"weightprint", "test"}, Options: o, Verdict: o.Policy.Decide(f), Components: []Component{}, Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{}}
	out.Evidence = append(out.Evidence, evidence(f.Evidence, make([]int, len(f.Evidence)))...)
	for _, e := range out.Evidence {
		out.Components = append(out.Components, Component{Name: e.Component, Relation: out.Verdict.Relation, Log10P: e.Log10P, Effect: e.Effect})
		out.Layers = append(out.Layers, Layer{Tower: "main", Log10P: e.Log10P, Effect: e.Effect})
	}
	return out
}
