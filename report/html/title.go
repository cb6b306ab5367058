package html

import (
	"fmt"

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
		x := sum{f.Path, "SHA-256 " + f.SHA256}
		switch {
		case f.SHA256 == "" && f.Named != "":
			x.Sum = "SHA-256 " + f.Named + " as its store states; not checked"
		case f.SHA256 == "":
			x.Sum = "no SHA-256: not read whole (--pin reads it)"
		}
		out = append(out, x)
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
		x := degree{d.Words, fmt.Sprintf("ratio above %s, up to %s", power(d.From), power(d.To)), d.Here && v.Relation != verdict.Inconclusive}
		switch {
		case d.From == 0:
			x.Ratio = "ratio up to " + power(d.To)
		case d.To == 0:
			x.Ratio = "ratio above " + power(d.From)
		}
		out = append(out, x)
	}
	return out
}

// power writes a round number.
func power(x float64) string { return fmt.Sprintf("%.0f", x) }
