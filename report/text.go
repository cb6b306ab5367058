package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/page"
	"github.com/weightprint/weightprint/report/verdict"
)

// Style says how text is laid out.
type Style struct {
	Columns int  // 80 unless set; at least 40
	Colour  bool // mark relations by colour too, for terminals; every colour stands on a word
}

// WriteText writes all of the report for people, in 80 columns.
func (r *Report) WriteText(w io.Writer) error { return r.WriteStyled(w, Style{}) }

// WriteStyled writes all of the report for people in the given style. Tables cut
// names, then leave out columns, where there is no room for all.
func (r *Report) WriteStyled(w io.Writer, s Style) error {
	t := &text{columns.Text{Columns: s.Columns}, s.Colour}
	for i := range r.Subjects {
		t.subject(verdict.Side(i), &r.Subjects[i])
	}
	t.Line("")
	t.verdict(r)
	t.sections(r.Sections(page.Text))
	_, err := io.WriteString(w, t.String())
	return err
}

// sections writes groups of sections with a blank line between them.
func (t *text) sections(groups [][]page.Section) {
	for i, group := range groups {
		if i > 0 {
			t.Line("")
		}
		for _, s := range group {
			for k := range s.Blocks {
				t.block(s.Label, &s.Blocks[k])
			}
		}
	}
}

// Summary is the verdict in one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("%s%s  %s  %s", r.Verdict.Relation, tierWords(r.Verdict), escape.Printable(r.Subjects[0].Ref), escape.Printable(r.Subjects[1].Ref))
}

func tierWords(v verdict.Verdict) string {
	switch {
	case v.Lead:
		return " (a lead)"
	case v.Tier == "exact" && v.Log10P != nil && v.Relation == verdict.Related:
		return fmt.Sprintf(" (exact, p <= 1e%.0f)", math.Ceil(float64(*v.Log10P)))
	case v.Tier == "exact":
		return " (exact)"
	case v.Tier == "calibrated":
		return " (calibrated on controls)"
	}
	return ""
}

func kindWords(kinds []verdict.Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

// taken says how much was read, or of a server's files how much was sent.
func taken(s *Subject) string {
	verb := "read"
	if s.Remote {
		verb = "transferred"
	}
	return fmt.Sprintf("%s %s of %s", verb, columns.Size(s.BytesRead), columns.Size(s.BytesTotal))
}

// text writes the sections of a report.
type text struct {
	columns.Text
	colour bool
}
