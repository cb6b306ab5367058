package report

import (
	"fmt"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/report/page"
	"github.com/weightprint/weightprint/report/verdict"
)

// questionsSection is a section for each question, with the results that answer it.
func questionsSection(r *Report, f page.Form) (out []page.Section) {
	for _, q := range r.Questions() {
		s := page.Section{Title: q.Title, Blocks: []page.Block{{Words: q.Words, Soft: true}, {Items: page.Items(q.Answers)}}}
		if len(q.Found) > 0 {
			s.Blocks = append(s.Blocks, page.Block{Table: resultTable(q.Found, f)})
		}
		if f == page.Markdown {
			s.Blocks = append(s.Blocks, page.Block{Apart: true, Items: page.Items(q.remarks())})
		} else {
			s.Blocks = append(s.Blocks, folded(&q, f)...)
		}
		out = append(out, s)
	}
	return out
}

// remarks are the results that found nothing, in a line, and what tests assume.
func (q *Question) remarks() []string {
	if words := q.NothingWords(); words != "" {
		return append([]string{words}, q.Nulls...)
	}
	return q.Nulls
}

// folded is what a page folds away below a question.
func folded(q *Question, f page.Form) (out []page.Block) {
	if n := len(q.Nothing); n > 0 {
		out = append(out, page.Block{Fold: fmt.Sprintf("%d results that found nothing", n), Table: resultTable(q.Nothing, f)})
	}
	if len(q.Nulls) > 0 {
		out = append(out, page.Block{Fold: "what each test assumes", Items: page.Items(q.Nulls)})
	}
	return out
}

// resultColumns are those of a result beside the others that answer a question;
// Markdown has no room for the look.
func resultColumns(f page.Form) []page.Column {
	test, axis, limit := worded("test"), worded("axis"), worded("limit")
	test.Class, axis.Class, limit.Class = "whole", "name", "soft"
	controls := worded("controls")
	controls.Figures = true
	out := []page.Column{test, axis, worded("tier"), figures("look", 0, 0), figures("statistic", 0, 0), figures("n", 0, 0), figures("effect", 0, 0), figures("log10 p", 0, 0), controls, limit}
	if f == page.Markdown {
		return append(out[:3], out[4:]...)
	}
	return out
}

func resultTable(all []*Evidence, f page.Form) *page.Table {
	t := &page.Table{Columns: resultColumns(f)}
	for _, e := range all {
		row := []string{e.Test, e.Axis, e.Tier, fmt.Sprint(e.Look), fmt.Sprintf("%.6g", float64(e.Statistic)), fmt.Sprint(e.N), three(e.Effect), verdict.Log(e.Log10P), standing(e.Controls, f), e.Blind()}
		if f == page.Markdown {
			row = append(row[:3], row[4:]...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// standing puts controls into a table cell.
func standing(s *verdict.Standing, f page.Form) string {
	switch {
	case s == nil:
		return ""
	case f == page.Markdown:
		return fmt.Sprintf("largest of %d: %.3g, p %.2g", s.N, float64(s.Largest), float64(s.P))
	}
	return fmt.Sprintf("largest of %d: %.3f, p %.2g", s.N, float64(s.Largest), float64(s.P))
}

var evidenceColumns = []page.Column{named("test", 18, 12), named("axis", 22, 9), figures("look", 4, 4), figures("statistic", 9, 3), figures("n", 6, 2), figures("effect", 7, 0), figures("log10 p", 8, 0)}

// evidenceSection lists every result in a line, for forms that ask no questions.
func evidenceSection(r *Report, f page.Form) []page.Section {
	if len(r.Evidence) == 0 {
		return nil
	}
	t := &page.Table{Columns: evidenceColumns}
	for i := range r.Evidence {
		if e := &r.Evidence[i]; e.Skipped == "" {
			t.Rows = append(t.Rows, []string{e.Test, e.Axis, fmt.Sprint(e.Look), fmt.Sprintf("%.4g", float64(e.Statistic)), fmt.Sprint(e.N), three(e.Effect), logOf(e.Log10P, f)})
		}
	}
	return one("Evidence", "", page.Block{Table: t})
}

var controlColumns = []page.Column{
	{Column: columns.Column{Head: "among controls", Width: 38, Least: 16}},
	figures("effect", 7, 0), figures("pairs", 6, 2), figures("99 %", 8, 3), figures("largest", 8, 0), figures("p", 6, 1),
}

// controlsSection shows calibrated effects beside those of control pairs.
func controlsSection(r *Report, _ page.Form) []page.Section {
	t := &page.Table{Columns: controlColumns}
	for i := range r.Evidence {
		e := &r.Evidence[i]
		if c := e.Controls; c != nil {
			t.Rows = append(t.Rows, []string{e.Test + " " + e.Axis, three(e.Effect), fmt.Sprint(c.N), three(c.Q99), three(c.Largest), fmt.Sprintf("%.2g", float64(c.P))})
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return one("Controls", "", page.Block{Table: t})
}
