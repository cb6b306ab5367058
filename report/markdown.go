package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
)

// WriteMarkdown writes the report as GitHub-flavoured Markdown. Names from
// files are escaped: they cannot become links, HTML or table cells.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	v := r.Verdict
	fmt.Fprintf(&b, "# %s%s\n\n", strings.ToUpper(string(v.Relation)), escape.Markdown(tierWords(v)))
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
	b.WriteString("\n")
	list(&b, "Because", v.Because)
	list(&b, "Not excluded", v.Alternatives)
	list(&b, "Excluded", v.Excludes)
	markdownReading(&b, v.Reading)
	markdownSteps(&b, r.Steps())
	b.WriteString("## Components\n\n| component | tensors | share | relation | log10 p | effect |\n|---|---:|---:|---|---:|---:|\n")
	for _, c := range r.Components {
		fmt.Fprintf(&b, "| %s | %d | %.1f %% | %s | %s | %.3f |\n", escape.Markdown(c.Name), c.Tensors, 100*float64(c.ParametersShare), c.Relation, verdict.Log(c.Log10P), float64(c.Effect))
	}
	for _, q := range r.Questions() {
		markdownQuestion(&b, &q)
	}
	markdownRoles(&b, r.Roles)
	b.WriteString("\n## Layers\n\n| layer of B | source in A | log10 p | effect |\n|---:|---:|---:|---:|\n")
	for _, l := range r.Layers {
		from := "none found"
		if l.A != nil {
			from = fmt.Sprint(*l.A)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %.3f |\n", l.B, from, verdict.Log(l.Log10P), float64(l.Effect))
	}
	b.WriteString("\n")
	list(&b, "Notes", r.Notes())
	list(&b, "Not run", r.NotRun())
	list(&b, "Warnings", r.Warnings)
	list(&b, "Limits", r.Limits)
	list(&b, "Made by", r.Made())
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownReading(b *strings.Builder, x *verdict.Reading) {
	if x != nil {
		list(b, "Reading (no finding)", append([]string{x.Words()}, x.Because...))
	}
}

func markdownSteps(b *strings.Builder, all []Step) {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = s.Words + ": " + s.Command
	}
	list(b, "Next", words)
}

func markdownQuestion(b *strings.Builder, q *Question) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", q.Title, q.Words)
	for _, s := range q.Answers {
		fmt.Fprintf(b, "- %s\n", escape.Markdown(s))
	}
	if len(q.Found) > 0 {
		b.WriteString("| test | axis | tier | statistic | n | effect | log10 p | controls | limit |\n|---|---|---|---:|---:|---:|---:|---|---|\n")
	}
	for _, e := range q.Found {
		fmt.Fprintf(b, "| %s | %s | %s | %.6g | %d | %.3f | %s | %s | %s |\n", escape.Markdown(e.Test), escape.Markdown(e.Axis), e.Tier, float64(e.Statistic), e.N, float64(e.Effect), verdict.Log(e.Log10P), standing(e.Controls), e.Blind())
	}
	b.WriteString("\n")
	for _, s := range append([]string{q.NothingWords()}, q.Nulls...) {
		if s != "" {
			fmt.Fprintf(b, "- %s\n", escape.Markdown(s))
		}
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
		fmt.Fprintf(b, "  - %s, %d bytes, %s\n", escape.Markdown(f.Path), f.Size, f.pinned())
	}
}

func markdownRoles(b *strings.Builder, all []RoleLikeness) {
	if len(all) == 0 {
		return
	}
	b.WriteString("\n## Roles\n\n| role | matrices | rows | cosine | relabelled at random |\n|---|---:|---:|---:|---|\n")
	for _, l := range all {
		low, high := l.Band()
		fmt.Fprintf(b, "| %s | %d | %d | %.3f | %+.3f … %+.3f |\n", escape.Markdown(l.Role), l.Matrices, l.Rows, float64(l.Cosine), low, high)
	}
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	for _, s := range items {
		fmt.Fprintf(b, "- %s\n", escape.Markdown(s))
	}
	b.WriteString("\n")
}

// standing puts controls into a table cell.
func standing(s *verdict.Standing) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("largest of %d: %.3g, p %.2g", s.N, float64(s.Largest), float64(s.P))
}
