package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// width is the number of columns text is laid out for.
const width = 80

// WriteText writes the report for people, in 80 columns.
func (r *Report) WriteText(w io.Writer) error {
	t := &text{}
	for i, s := range r.Subjects {
		t.line("%s  %s", side(i), tensor.Printable(s.Ref))
		t.line("   %s, %s parameters, read %s of %s%s", s.storage(), count(s.Parameters), size(s.BytesRead), size(s.BytesTotal), pinned(s))
	}
	t.line("")
	v := r.Verdict
	t.line("%s%s", strings.ToUpper(string(v.Relation)), tierWords(v))
	t.row("strength", v.Strength)
	t.row("kinds", kindWords(v.Kinds))
	t.row("direction", string(v.Direction))
	for i, b := range v.Because {
		t.row(firstOnly("because", i), b)
	}
	for i, a := range v.Alternatives {
		t.row(firstOnly("not excluded", i), a)
	}
	t.line("")
	t.components(r.Components)
	t.evidence(r.Evidence)
	for i, s := range r.Warnings {
		t.row(firstOnly("warning", i), s)
	}
	t.line("")
	for i, s := range r.Limits {
		t.row(firstOnly("limits", i), s)
	}
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

func tierWords(v Verdict) string {
	switch {
	case v.Tier == "exact" && v.Log10P != nil && v.Relation == Related:
		return fmt.Sprintf(" (exact, p <= 1e%.0f)", float64(*v.Log10P))
	case v.Tier == "exact":
		return " (exact)"
	case v.Tier == "calibrated":
		return " (calibrated on controls)"
	}
	return ""
}

func kindWords(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

func pinned(s Subject) string {
	if s.Root == nil {
		return ""
	}
	return ", values " + s.Root.String()[:19]
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
type text struct{ b strings.Builder }

func (t *text) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(visible(fmt.Sprintf(format, args...)), " ") + "\n")
}

// visible spells out control, direction and other invisible characters.
func visible(s string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsGraphic(c) && c != utf8.RuneError {
			b.WriteRune(c)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(c), "'"))
		}
	}
	return b.String()
}

// row writes a label and a text that wraps beside it. Empty texts are left out.
func (t *text) row(label, words string) {
	const indent = 14
	if words == "" {
		return
	}
	line := fmt.Sprintf("%-*s", indent, label)
	used := indent
	for i, w := range strings.Fields(words) {
		n := utf8.RuneCountInString(w)
		if i > 0 && used+1+n > width {
			t.line("%s", line)
			line, used = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+w, used+n
	}
	t.line("%s", line)
}

func (t *text) components(all []Component) {
	if len(all) == 0 {
		return
	}
	t.line("%-22s %7s %7s  %-13s %9s %7s", "component", "tensors", "share", "relation", "log10 p", "effect")
	for _, c := range all {
		t.line("%-22s %7d %6.1f%%  %-13s %9s %7.3f", c.Name, c.Tensors, 100*float64(c.ParametersShare), c.Relation, optional(c.Log10P), float64(c.Effect))
	}
	t.line("")
}

func optional(n *Number) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(*n))
}

func (t *text) evidence(all []Evidence) {
	if len(all) == 0 {
		return
	}
	t.line("%-13s %-24s %4s %10s %7s %8s %9s", "test", "axis", "look", "statistic", "n", "effect", "log10 p")
	for _, e := range all {
		if e.Skipped != "" {
			t.line("%-13s %-24s %4d  skipped: %s", e.Test, e.Axis, e.Look, e.Skipped)
			continue
		}
		t.line("%-13s %-24s %4d %10.6g %7d %8.3f %9s", e.Test, e.Axis, e.Look, float64(e.Statistic), e.N, float64(e.Effect), optional(e.Log10P))
	}
	t.line("")
}
