package intoto

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/weightprint/weightprint/report"
)

// Differs compares what a statement says of two models with a report made
// anew, field by field, and returns nil when they agree. The program's version,
// the models' names and cited manifests are left aside.
func Differs(s *Statement, anew *report.Report) (*report.Difference, error) {
	want, err := ReadComparison(s)
	if err != nil {
		return nil, err
	}
	if d, err := unknown(s, want); d != nil || err != nil {
		return d, err
	}
	made, err := FromReport(anew, [2]*Signed{})
	if err != nil {
		return nil, err
	}
	got, err := ReadComparison(made)
	if err != nil {
		return nil, err
	}
	for i, x := range made.Subject {
		if i >= len(s.Subject) || s.Subject[i].Name != x.Name || !maps.Equal(s.Subject[i].Digest, x.Digest) {
			return different(fmt.Sprintf("subject[%d]", i), at(s.Subject, i), x), nil
		}
	}
	if len(s.Subject) > len(made.Subject) {
		return different(fmt.Sprintf("subject[%d]", len(made.Subject)), s.Subject[len(made.Subject)], nil), nil
	}
	findings := [2]string{want.Report.Findings, got.Report.Findings}
	for _, c := range []*Comparison{want, got} {
		c.Tool.Version, c.Report = "", ReportDigests{}
		for i := range c.Subjects {
			c.Subjects[i].Name, c.Subjects[i].Signed = "", nil
		}
	}
	d, err := differ(want, got)
	if d == nil && err == nil && findings[0] != findings[1] {
		d = different("report.findings", findings[0], findings[1])
	}
	return d, err
}

// unknown finds what stands in the predicate beside the fields of a comparison.
func unknown(s *Statement, c *Comparison) (*report.Difference, error) {
	known, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	d, err := report.Differ(s.Predicate, known)
	if d != nil {
		d.Got = "no field of a comparison of this version"
	}
	return d, err
}

func at(all []Resource, i int) any {
	if i < len(all) {
		return all[i]
	}
	return nil
}

func different(path string, want, got any) *report.Difference {
	w, _ := json.Marshal(want) // strings and resources always marshal
	g, _ := json.Marshal(got)
	return &report.Difference{Path: path, Want: string(w), Got: string(g)}
}

func differ(want, got *Comparison) (*report.Difference, error) {
	w, err := json.Marshal(want)
	if err != nil {
		return nil, err
	}
	g, err := json.Marshal(got)
	if err != nil {
		return nil, err
	}
	return report.Differ(w, g)
}
