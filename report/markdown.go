package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/page"
	"github.com/weightprint/weightprint/report/verdict"
)

// WriteMarkdown writes the report as GitHub-flavoured Markdown. Names from
// files are escaped: they cannot become links, HTML or table cells.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	v := r.Verdict
	fmt.Fprintf(&b, "# %s%s\n\nComparison of the weights of two neural networks. %s\n\n", strings.ToUpper(string(v.Relation)), escape.Markdown(tierWords(v)), escape.Markdown(v.Plain()))
	for i := range r.Subjects {
		markdownSubject(&b, verdict.Side(i), &r.Subjects[i])
	}
	fmt.Fprintf(&b, "\n%s\n\n- **H1** %s\n- **H0** %s\n", escape.Markdown(v.Statement), escape.Markdown(r.Propositions.H1), escape.Markdown(r.Propositions.H0))
	fmt.Fprintf(&b, "\n| | |\n|---|---|\n| strength | %s |\n| kinds | %s |\n| direction | %s |\n", escape.Markdown(v.Strength), kindWords(v.Kinds), v.DirectionWords())
	if v.Precedence != nil {
		fmt.Fprintf(&b, "| precedence | %s |\n", v.Precedence.Words())
	}
	if p := r.Power.Words(); p != "" {
		fmt.Fprintf(&b, "| power | %s |\n", escape.Markdown(p))
	}
	fmt.Fprintf(&b, "| made by | %s %s |\n| command | %s |\n\n", escape.Markdown(r.Tool.Name), escape.Markdown(r.Tool.Version), escape.Markdown(r.Command()))
	markdownScale(&b, &v)
	b.WriteString("| Examiner | Case | Exhibit | Date | Signature |\n|---|---|---|---|---|\n| | | | | |\n\n")
	for _, group := range r.Sections(page.Markdown) {
		for k := range group {
			markdownSection(&b, &group[k])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownScale writes the whole verbal scale with the place of the case.
func markdownScale(b *strings.Builder, v *verdict.Verdict) {
	b.WriteString("| the verbal scale | likelihood ratio | |\n|---|---|---|\n")
	for _, d := range v.Scale() {
		here := ""
		if d.Here && v.Relation != verdict.Inconclusive {
			here = "**this case**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", d.Words, columns.Range(int64(d.From), int64(d.To)), here)
	}
	b.WriteString("\n")
}

// markdownSection writes a section and a blank line.
func markdownSection(b *strings.Builder, s *page.Section) {
	title := s.Title
	if s.Aside != "" {
		title += " " + s.Aside
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	for _, x := range s.Blocks {
		if x.Apart {
			b.WriteString("\n")
		}
		if x.Words != "" {
			fmt.Fprintf(b, "%s\n\n", x.Words)
		}
		for _, item := range x.Items {
			fmt.Fprintf(b, "- %s\n", escape.Markdown(item.Words))
		}
		if x.Table != nil {
			markdownTable(b, x.Table)
		}
	}
	b.WriteString("\n")
}

// markdownTable writes a table, numbers to the right.
func markdownTable(b *strings.Builder, t *page.Table) {
	head, rule := "|", "|"
	for _, c := range t.Columns {
		head += " " + c.Head + " |"
		if c.Right {
			rule += "---:|"
		} else {
			rule += "---|"
		}
	}
	fmt.Fprintf(b, "%s\n%s\n", head, rule)
	for _, row := range t.Rows {
		b.WriteString("|")
		for i, cell := range row {
			if !t.Columns[i].Figures {
				cell = escape.Markdown(cell)
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString("\n")
	}
}

func markdownSubject(b *strings.Builder, name string, s *Subject) {
	fmt.Fprintf(b, "- **%s** %s: %s, %s parameters, %s%s", name, escape.Markdown(s.Ref), escape.Markdown(s.Storage()), columns.Count(s.Parameters), taken(s), escape.Markdown(revision(s)))
	if s.Root != nil {
		fmt.Fprintf(b, ", values `%s`\n", s.Root)
	} else {
		fmt.Fprintf(b, ", header `%s`\n", s.Header)
	}
	for _, f := range s.Files {
		fmt.Fprintf(b, "  - %s, %s bytes, %s, %s\n", escape.Markdown(f.Path), columns.Grouped(f.Size), escape.Markdown(f.Sum()), f.pinned())
	}
}
