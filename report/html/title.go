package html

import (
	"fmt"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// sum names a file of a subject and what is known of its SHA-256.
type sum struct{ Name, Sum string }

// mostSums bounds the files of a subject on the title page; the appendix has all.
const mostSums = 6

// sums lists a subject's files with their SHA-256: computed, or else what is said of it.
func sums(s report.Subject) (out []sum) {
	for _, f := range s.Files {
		if len(out) == mostSums {
			return append(out, sum{fmt.Sprintf("and %d more files", len(s.Files)-mostSums), "see Inputs"})
		}
		out = append(out, sum{f.Path, f.Sum()})
	}
	return out
}

// degree is one step of the scale as the page shows it.
type degree struct {
	Words, Ratio string
	Here         bool
}

// scale is the verbal scale of a verdict. An open verdict has no place on it.
func scale(v verdict.Verdict) (out []degree) {
	for _, d := range v.Scale() {
		out = append(out, degree{d.Words, "ratio " + columns.Range(int64(d.From), int64(d.To)), d.Here && v.Relation != verdict.Inconclusive})
	}
	return out
}
