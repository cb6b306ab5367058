package report

import (
	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/sketches"
)

// Sketched is a subject of which only a fingerprint is at hand.
type Sketched struct {
	Ref         string
	Fingerprint *fingerprint.Fingerprint
}

// Screen compares two fingerprints. Equal value roots are identity; apart from
// that the verdict is a lead at most, to be settled on weights.
func Screen(a, b Sketched, o *Options) *Report {
	opt := o.WithDefaults()
	out := empty(opt)
	out.Warnings = []string{"screening: from fingerprints; sketches can be forged or arranged, so a lead has to be settled on weights"}
	for i, s := range []Sketched{a, b} {
		f := s.Fingerprint
		out.Subjects[i] = Subject{Ref: s.Ref, Format: "fingerprint", Header: f.Header, Parameters: f.Parameters, Files: []File{}}
		if f.Complete {
			out.Subjects[i].Root = &f.Root
		}
	}
	facts := verdict.Facts{Evidence: verdict.Sound(sketches.Run(a.Fingerprint, b.Fingerprint))}
	equal := a.Fingerprint.Complete && b.Fingerprint.Complete && a.Fingerprint.Root == b.Fingerprint.Root
	out.Verdict = opt.Policy.Screen(facts, equal)
	out.Evidence = append(out.Evidence, evidence(facts.Evidence, make([]int, len(facts.Evidence)))...)
	return out
}
