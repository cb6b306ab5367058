package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/similarity/diff"
)

// mostLines bounds the tensors that text and Markdown list; JSON has all.
const mostLines = 12

// summary counts the tensors by form.
func (d *Diff) summary() string {
	var words []string
	for _, f := range diff.Forms() {
		if n := d.Summary[f]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, f))
		}
	}
	return strings.Join(words, " · ")
}

// most lists the tensors that differ, those that changed most first.
func (d *Diff) most(n int) []Tensor {
	out := slices.DeleteFunc(slices.Clone(d.Tensors), func(t Tensor) bool {
		return t.Form == diff.Equal || t.A == nil || t.B == nil || t.Form == diff.Reshaped
	})
	slices.SortStableFunc(out, func(a, b Tensor) int {
		switch {
		case a.Relative > b.Relative:
			return -1
		case a.Relative < b.Relative:
			return 1
		}
		return 0
	})
	return out[:min(n, len(out))]
}

// names gives a tensor's name on both sides, once where they agree.
func (t *Tensor) names() string {
	if t.A.Name == t.B.Name {
		return escape.Printable(t.A.Name)
	}
	return escape.Printable(t.A.Name) + " | " + escape.Printable(t.B.Name)
}

// WriteText writes the difference for people.
func (d *Diff) WriteText(w io.Writer) error {
	t := &columns.Text{}
	t.Line("A  %s", escape.Printable(d.Subjects[0].Ref))
	t.Line("B  %s", escape.Printable(d.Subjects[1].Ref))
	t.Line("")
	line := strings.ToUpper(string(d.Verdict.Relation))
	for _, k := range d.Verdict.Kinds {
		line += " · " + string(k)
	}
	t.Line("%s", line)
	t.Row("tensors", d.summary())
	for _, f := range d.Findings {
		t.Row("", f)
	}
	if all := d.most(mostLines); len(all) > 0 {
		t.Line("")
		t.Line("%9s %11s  %-10s tensor (A | B)", "change", "rows differ", "form")
		for i := range all {
			x := &all[i]
			t.Line("%8.2f%% %5d/%5d  %-10s %s", 100*float64(x.Relative), x.RowsDiff, x.Rows, x.Form, x.names())
		}
		if n := len(d.most(len(d.Tensors))) - len(all); n > 0 {
			t.Line("%9s and %d more; --json lists all", "", n)
		}
	}
	for _, l := range d.Limits {
		t.Line("")
		t.Row("limits", l)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// WriteMarkdown writes the difference as a page.
func (d *Diff) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Difference of two models\n\n- A: `%s`\n- B: `%s`\n- %s\n- tensors: %s\n\n", code(d.Subjects[0].Ref), code(d.Subjects[1].Ref), d.Verdict.Relation, d.summary())
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "- %s\n", escape.Markdown(f))
	}
	b.WriteString("\n| change | rows differ | form | A | B | role |\n|---:|---:|---|---|---|---|\n")
	for _, t := range d.most(len(d.Tensors)) {
		fmt.Fprintf(&b, "| %.3g %% | %d of %d | %s | `%s` | `%s` | %s |\n", 100*float64(t.Relative), t.RowsDiff, t.Rows, t.Form, code(t.A.Name), code(t.B.Name), escape.Markdown(t.Role))
	}
	if len(d.Layers) > 0 {
		b.WriteString("\n| layer of B | layer of A | tensors that differ | change |\n|---:|---:|---:|---:|\n")
		for _, l := range d.Layers {
			fmt.Fprintf(&b, "| %d | %d | %d of %d | %.3g %% |\n", l.B, l.A, l.Differ, l.Tensors, 100*float64(l.Relative))
		}
	}
	for _, l := range d.Limits {
		fmt.Fprintf(&b, "\n%s\n", l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// code is a name between backticks.
func code(s string) string {
	return strings.NewReplacer("`", "'", "|", "\\|").Replace(escape.Printable(s))
}
