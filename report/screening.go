package report

import (
	"fmt"
	"math"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/sketches"
)

// Sketched is a subject of which only a fingerprint is at hand.
type Sketched struct {
	Ref         string
	Fingerprint *fingerprint.Fingerprint
}

// screened says what each test on fingerprints counts.
var screened = map[string]string{
	"sketch-fixed-points":          "sketched units are nearest to the unit at the same place",
	"sketch-residual-fixed-points": "sketched residual dimensions are nearest to the one at the same place",
	"token-signs":                  "little-used tokens lie to one another as on the other side",
	"probe-order":                  "units that tokens find stand in one order, or at the same places",
	"probe-signs":                  "units that tokens find agree in sign",
}

// Screen compares two fingerprints. Equal value roots are identity; apart from
// that the verdict is a screening: related or inconclusive, to be settled on
// weights.
func Screen(a, b Sketched, o *Options) *Report {
	opt := o.filled()
	out := &Report{Schema: Schema, Tool: Tool{"weightprint", Version()}, Options: opt, Propositions: propositions, Roles: []RoleLikeness{}, Methods: methods(nil), Seed: "", Components: []Component{}, Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{"screening: from fingerprints; a sketch can be forged, so a finding has to be settled on weights"}}
	for i, s := range []Sketched{a, b} {
		f := s.Fingerprint
		out.Subjects[i] = Subject{Ref: s.Ref, Format: "fingerprint", Header: f.Header, Parameters: f.Parameters, Files: []File{}}
		if f.Complete {
			out.Subjects[i].Root = &f.Root
		}
	}
	facts := Facts{Evidence: sound(sketches.Run(a.Fingerprint, b.Fingerprint))}
	v := &out.Verdict
	*v = Verdict{Relation: Inconclusive, Kinds: []Kind{}, Direction: Undetermined, Tier: "none", Because: []string{}, Alternatives: []string{}}
	p, by := facts.best(anyEvidence)
	if by != nil {
		v.Log10P = number(p.Log10())
	}
	switch {
	case a.Fingerprint.Complete && b.Fingerprint.Complete && a.Fingerprint.Root == b.Fingerprint.Root:
		v.Relation, v.Tier = Identical, "exact"
		v.Because = append(v.Because, "the two fingerprints state the same digest over all values")
	case by != nil && p <= opt.Policy.level():
		v.Relation, v.Tier = Related, "exact"
		v.Because = append(v.Because, fmt.Sprintf("%.0f of %d %s; p ≤ 1e%.0f if the two were initialised independently", by.Statistic, by.N, screened[by.Test], math.Ceil(p.Log10())))
		v.Alternatives = append(v.Alternatives, "a common ancestor", sameInit, "a forged sketch")
	default:
		v.Because = append(v.Because, "the sketches show no common origin; a comparison of weights would settle it")
	}
	opt.Policy.weigh(v, p, calibratedFindings{})
	r := &run{o: opt, facts: facts, looks: make([]int, len(facts.Evidence))}
	r.evidence(out)
	return out
}
