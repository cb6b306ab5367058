package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/verdict"
)

// width is the number of columns text is laid out for.
const width = 80

// Style says how text is laid out.
type Style struct {
	Columns int  // 80 unless set; tables need 80
	Colour  bool // mark relations by colour too, for terminals; every colour stands on a word
}

// WriteText writes the report for people, in 80 columns.
func (r *Report) WriteText(w io.Writer) error { return r.WriteStyled(w, Style{}) }

// WriteStyled writes the report for people in the given style.
func (r *Report) WriteStyled(w io.Writer, s Style) error {
	t := &text{columns: s.Columns, colour: s.Colour}
	for i := range r.Subjects {
		t.subject(verdict.Side(i), &r.Subjects[i])
	}
	t.line("")
	t.verdict(r)
	t.components(r.Components)
	t.layers(r.Layers)
	t.roles(r.Roles)
	t.evidence(r.Evidence)
	t.controls(r.Evidence)
	t.delta(r.Delta)
	t.list("warning", r.Warnings)
	t.list("limits", r.Limits)
	t.methods(r)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// Summary is the verdict in one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("%s%s  %s  %s", r.Verdict.Relation, tierWords(r.Verdict), tensor.Printable(r.Subjects[0].Ref), tensor.Printable(r.Subjects[1].Ref))
}

func firstOnly(label string, i int) string {
	if i > 0 {
		return ""
	}
	return label
}

func tierWords(v verdict.Verdict) string {
	switch {
	case v.Tier == "exact" && v.Log10P != nil && v.Relation == verdict.Related:
		return fmt.Sprintf(" (exact, p <= 1e%.0f)", float64(*v.Log10P))
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
	return fmt.Sprintf("%s %s of %s", verb, size(s.BytesRead), size(s.BytesTotal))
}

// count writes a number of parameters.
func count(n int64) string {
	for _, u := range []struct {
		least  float64
		suffix string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if float64(n) >= u.least {
			return fmt.Sprintf("%.3g%s", float64(n)/u.least, u.suffix)
		}
	}
	return fmt.Sprint(n)
}

// size writes a number of bytes.
func size(n int64) string {
	for _, u := range []struct {
		least  float64
		suffix string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if float64(n) >= u.least {
			return fmt.Sprintf("%.3g %s", float64(n)/u.least, u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// text collects lines.
type text struct {
	b       strings.Builder
	columns int // 0 for width
	colour  bool
}

func (t *text) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(tensor.Visible(fmt.Sprintf(format, args...)), " ") + "\n")
}

// row writes a label and a text that wraps beside it. Empty texts are left out.
func (t *text) row(label, words string) {
	const indent = 14
	if words == "" {
		return
	}
	columns := t.columns
	if columns == 0 {
		columns = width
	}
	line := fmt.Sprintf("%-*s", indent, label)
	used := indent
	for i, w := range strings.Fields(words) {
		n := utf8.RuneCountInString(w)
		if i > 0 && used+1+n > columns {
			t.line("%s", line)
			line, used = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+w, used+n
	}
	t.line("%s", line)
}

// list writes items under one label.
func (t *text) list(label string, items []string) {
	for i, s := range items {
		t.row(firstOnly(label, i), s)
	}
	if len(items) > 0 {
		t.line("")
	}
}

// fit cuts the middle out of a name that is longer than n letters, as shown.
func fit(s string, n int) string {
	r := []rune(tensor.Visible(s))
	if len(r) <= n {
		return string(r)
	}
	tail := (n - 1) / 2
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}
