package faithful

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
)

// shown bounds the deviations that text lists.
const shown = 8

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error { return escape.WriteJSON(w, r) }

// modeWords say how a tensor was judged.
var modeWords = map[string]string{
	"alone":    "by its rule",
	"given":    "by its rule, with the importance given",
	"searched": "scales unexplained, codes by their scales",
	"cast":     "value by value",
	"cells":    "value by value, within the cell of the code",
	"ruled":    "scales by their rule, values within the cell of the code",
	"none":     "not judged",
}

func (t Type) words() string {
	words := modeWords[string(t.Mode)]
	if t.Through != "" {
		words += ", the source rounded to " + t.Through + " first"
	}
	return words
}

// Summary is the verdict with its first reason, in one line.
func (r *Report) Summary() string {
	if len(r.Because) == 0 {
		return string(r.Verdict)
	}
	return string(r.Verdict) + ": " + r.Because[0]
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &columns.Text{}
	t.Line("%s", strings.ToUpper(string(r.Verdict)))
	t.Line("quantised  %s", escape.Printable(r.Quantised.Ref))
	t.Line("source     %s", escape.Printable(r.Source.Ref))
	t.Line("")
	for _, b := range r.Because {
		t.Hang("  ", b)
	}
	t.Line("")
	t.Line("%-8s %7s %11s %9s %11s %7s %8s  how", "type", "tensors", "exact", "rounding", "reachable", "open", "deviate")
	for _, x := range r.Types {
		b := x.Blocks
		t.Line("%-8s %7d %11d %9d %11d %7d %8d  %s", x.Name, x.Tensors, b.Exact, b.Rounding, b.Reachable, b.Open, b.Deviates, x.words())
	}
	r.deviations(func(x *Tensor, d Deviation) {
		t.Hang("  ", fmt.Sprintf("%s row %d, block %d, column %d: %s%s", escape.Printable(x.Name), d.Row, d.Block, d.Col, d.What, d.size()))
	}, func(left int64) { t.Line("  and %d more blocks; --json names them", left) }, func() { t.Line(""); t.Line("not what the rule gives") })
	list := func(title string, xs []string, words func(string) string) {
		for i, x := range xs[:min(len(xs), shown)] {
			if i == 0 {
				t.Line("")
				t.Line("%s", title)
			}
			t.Hang("  ", words(escape.Printable(x)))
		}
		if n := len(xs) - shown; n > 0 {
			t.Line("  and %d more; --json names them", n)
		}
	}
	same := func(x string) string { return x }
	list("without a counterpart in the source", r.Unpaired, same)
	list("not in the quantised model", r.Missing, same)
	list("warnings", r.Warnings, same)
	list("not excluded", r.NotExcluded, same)
	_, err := io.WriteString(w, t.String())
	return err
}

// size puts the size of a deviation into words.
func (d Deviation) size() string {
	if d.Values == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d values, up to %.3g steps)", d.Values, float64(d.Steps))
}

// deviations walks through the first deviations of all tensors.
func (r *Report) deviations(each func(*Tensor, Deviation), more func(int64), begin func()) {
	n := int64(0)
	for i := range r.Tensors {
		for _, d := range r.Tensors[i].Deviations {
			if n == 0 {
				begin()
			}
			if n++; n <= shown {
				each(&r.Tensors[i], d)
			}
		}
	}
	if left := r.Blocks.Deviates - min(n, shown); left > 0 {
		more(left)
	}
}

// WriteMarkdown writes the report as GitHub-flavoured Markdown. Names from files
// are escaped.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n| | |\n|---|---|\n| quantised | %s |\n| source | %s |\n\n", strings.ToUpper(string(r.Verdict)), escape.Markdown(r.Quantised.Ref), escape.Markdown(r.Source.Ref))
	for _, x := range r.Because {
		fmt.Fprintf(&b, "- %s\n", escape.Markdown(x))
	}
	b.WriteString("\n| type | tensors | exact | rounding | reachable | open | deviate | how |\n|---|---:|---:|---:|---:|---:|---:|---|\n")
	for _, t := range r.Types {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %s |\n", escape.Markdown(t.Name), t.Tensors, t.Blocks.Exact, t.Blocks.Rounding, t.Blocks.Reachable, t.Blocks.Open, t.Blocks.Deviates, t.words())
	}
	r.deviations(func(x *Tensor, d Deviation) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s |\n", escape.Markdown(x.Name), d.Row, d.Block, d.Col, escape.Markdown(d.What+d.size()))
	}, func(left int64) { fmt.Fprintf(&b, "\n%d more blocks deviate.\n", left) }, func() {
		b.WriteString("\n## Not what the rule gives\n\n| tensor | row | block | column | what |\n|---|---:|---:|---:|---|\n")
	})
	if len(r.Unpaired) > 0 {
		b.WriteString("\n## Without a counterpart in the source\n\n")
	}
	for _, x := range r.Unpaired {
		fmt.Fprintf(&b, "- %s\n", escape.Markdown(x))
	}
	for _, l := range []struct {
		title string
		of    []string
	}{{"Not in the quantised model", r.Missing}, {"Warnings", r.Warnings}, {"Not excluded", r.NotExcluded}} {
		for i, x := range l.of {
			if i == 0 {
				fmt.Fprintf(&b, "\n## %s\n\n", l.title)
			}
			fmt.Fprintf(&b, "- %s\n", escape.Markdown(x))
		}
	}
	b.WriteString("\n## Limits\n\n")
	for _, x := range r.Limits {
		fmt.Fprintf(&b, "- %s\n", x)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
