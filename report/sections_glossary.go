package report

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/glossary"
	"github.com/weightprint/weightprint/report/page"
)

// everyReport lists the words that stand in any report, in the order in which they are
// best read.
var everyReport = []string{
	"H1", "H0", "likelihood ratio", "strength", "score", "p", "log10 p", "exact", "calibrated", "controls", "conformal p", "unit", "axis", "component",
	"raw", "anchored", "cosine", "statistic", "effect", "look", "labels", "content", "arrangement", "disguise", "power",
}

// glossarySection explains the words of the report, so that whoever has nothing but the
// page can read it.
func glossarySection(r *Report, f page.Form) []page.Section {
	var terms []page.Term
	for _, word := range r.words() {
		if found := glossary.Find(word); len(found) > 0 {
			terms = append(terms, page.Term{Name: word, Words: found[0].Words})
		}
	}
	tests := page.Block{Table: &page.Table{Columns: []page.Column{worded("test"), worded("tier"), worded("what it counts")}}}
	for _, m := range r.Methods.Tests {
		tests.Table.Rows = append(tests.Table.Rows, []string{m.Name, m.Tier, m.Doc})
	}
	if f != page.Markdown {
		return one("Glossary", "", page.Block{Terms: terms}, tests)
	}
	lines := make([]string, len(terms))
	for i, t := range terms {
		lines[i] = t.Name + ": " + t.Words
	}
	return one("Glossary", "", page.Block{Items: page.Items(lines)}, page.Block{Apart: true, Table: tests.Table})
}

// words are those of the report that somebody may have to look up, each once.
func (r *Report) words() (out []string) {
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	v := &r.Verdict
	add(string(v.Relation))
	for _, c := range r.Components {
		add(string(c.Relation))
	}
	for _, k := range v.Kinds {
		add(string(k))
	}
	add(string(v.Direction))
	for _, s := range everyReport {
		add(s)
	}
	if v.Reading != nil {
		add("reading")
	}
	if v.Precedence != nil {
		add("precedence")
	}
	said := strings.Join(append(slices.Clone(v.Alternatives), v.Because...), "\n")
	for _, s := range []string{"passenger", "carry", "distillation"} {
		if strings.Contains(said, s) {
			add(s)
		}
	}
	return out
}
