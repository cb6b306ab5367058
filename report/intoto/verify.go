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

// Changed holds the subjects of a statement against those of a report made anew.
// It names the first file, or model, that is not the same, "" where all are.
// swapped tells that A is the statement's B, and B its A.
func Changed(s *Statement, anew *report.Report) (words string, swapped bool, err error) {
	made, err := FromReport(anew, [2]*Signed{})
	if err != nil {
		return "", false, err
	}
	words = changed(s.Subject, made.Subject)
	return words, words != "" && changed(exchanged(s.Subject), made.Subject) == "", nil
}

// exchanged gives the subjects of A the names of B's, and the other way round.
func exchanged(all []Resource) (out []Resource) {
	to := map[byte]string{'A': "B", 'B': "A"}
	for _, x := range all {
		if x.Name != "" && to[x.Name[0]] != "" {
			x.Name = to[x.Name[0]] + x.Name[1:]
		}
		out = append(out, x)
	}
	return out
}

// changed names the first resource of which the digests are not the same: files
// before values, which follow from them.
func changed(stated, now []Resource) string {
	have := map[string]Resource{}
	for _, x := range now {
		have[x.Name] = x
	}
	values := ""
	for _, x := range stated {
		y, ok := have[x.Name]
		switch same := maps.Equal(x.Digest, y.Digest); {
		case !ok:
			return fmt.Sprintf("%q is not there", x.Name)
		case same:
		case x.Name == "A" || x.Name == "B":
			values = fmt.Sprintf("the values of %s have changed", x.Name)
		default:
			return fmt.Sprintf("%q has changed", x.Name)
		}
	}
	if values == "" && len(now) > len(stated) {
		return "there are files that the statement does not list"
	}
	return values
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
