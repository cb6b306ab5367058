package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// WriteMarkdown writes the report as GitHub-flavoured Markdown. Names from
// files are escaped: they cannot become links, HTML or table cells.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	v := r.Verdict
	fmt.Fprintf(&b, "# %s%s\n\n", strings.ToUpper(string(v.Relation)), tierWords(v))
	for i, s := range r.Subjects {
		fmt.Fprintf(&b, "- **%s** %s: %s, %s parameters, read %s of %s%s\n", side(i), Escape(s.Ref), s.storage(), count(s.Parameters), size(s.BytesRead), size(s.BytesTotal), pinned(s))
	}
	fmt.Fprintf(&b, "\n| | |\n|---|---|\n| strength | %s |\n| kinds | %s |\n| direction | %s |\n\n", v.Strength, kindWords(v.Kinds), v.Direction)
	list(&b, "Because", v.Because)
	list(&b, "Not excluded", v.Alternatives)
	b.WriteString("## Components\n\n| component | tensors | share | relation | log10 p | effect |\n|---|---:|---:|---|---:|---:|\n")
	for _, c := range r.Components {
		fmt.Fprintf(&b, "| %s | %d | %.1f %% | %s | %s | %.3f |\n", Escape(c.Name), c.Tensors, 100*float64(c.ParametersShare), c.Relation, Log(c.Log10P), float64(c.Effect))
	}
	b.WriteString("\n## Evidence\n\n| test | axis | tier | statistic | n | effect | log10 p | controls |\n|---|---|---|---:|---:|---:|---:|---|\n")
	for _, e := range r.Evidence {
		if e.Skipped != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | | | | | not run: %s |\n", e.Test, Escape(e.Axis), e.Tier, Escape(e.Skipped))
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.6g | %d | %.3f | %s | %s |\n", e.Test, Escape(e.Axis), e.Tier, float64(e.Statistic), e.N, float64(e.Effect), Log(e.Log10P), e.Controls.words())
	}
	b.WriteString("\n## Layers\n\n| layer of B | source in A | log10 p | effect |\n|---:|---:|---:|---:|\n")
	for _, l := range r.Layers {
		from := "none found"
		if l.A != nil {
			from = fmt.Sprint(*l.A)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %.3f |\n", l.B, from, Log(l.Log10P), float64(l.Effect))
	}
	b.WriteString("\n")
	list(&b, "Warnings", r.Warnings)
	list(&b, "Limits", r.Limits)
	fmt.Fprintf(&b, "weightprint %s, schema %s\n", Escape(r.Tool.Version), r.Schema)
	_, err := io.WriteString(w, b.String())
	return err
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	for _, s := range items {
		fmt.Fprintf(b, "- %s\n", Escape(s))
	}
	b.WriteString("\n")
}

// words puts controls into a table cell.
func (s *Standing) words() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("largest of %d: %.3g, p %.2g", s.N, float64(s.Largest), float64(s.P))
}

// Log writes a decimal logarithm, or a dash where there is none.
func Log(p *Number) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(*p))
}

// Escape makes a string from a file harmless in Markdown: control characters
// are spelled out and all punctuation with a meaning is escaped.
func Escape(s string) string {
	var b strings.Builder
	for _, c := range tensor.Printable(s) {
		if strings.ContainsRune("\\`*_{}[]()#+!|<>&~=@", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
