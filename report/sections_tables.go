package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/report/page"
	"github.com/weightprint/weightprint/report/verdict"
)

// worded is a column of words that are ours.
func worded(head string) page.Column { return page.Column{Column: columns.Column{Head: head}} }

// named is a column of names from files, which text cuts down to least letters.
func named(head string, width, least int) page.Column {
	return page.Column{Column: columns.Column{Head: head, Width: width, Least: least}, Class: "name"}
}

// figures is a column of numbers, which text leaves out first where drop is highest.
func figures(head string, width, drop int) page.Column {
	return page.Column{Column: columns.Column{Head: head, Width: width, Right: true, Drop: drop}, Figures: true}
}

var componentColumns = []page.Column{
	named("component", 26, 10), figures("tensors", 7, 2), figures("share", 7, 1),
	{Column: columns.Column{Head: "relation", Width: 13, Gap: 2}, Relation: true, Class: "whole"}, figures("log10 p", 9, 0), figures("effect", 8, 3),
}

// componentsSection is what was found for each part of B.
func componentsSection(r *Report, f page.Form) []page.Section {
	if f == page.Text && len(r.Components) == 0 {
		return nil
	}
	t := &page.Table{Columns: componentColumns}
	for _, c := range r.Components {
		share := fmt.Sprintf("%.1f %%", 100*float64(c.ParametersShare))
		if f == page.Text {
			share = strings.Replace(share, " ", "", 1)
		}
		t.Rows = append(t.Rows, []string{c.Name, fmt.Sprint(c.Tensors), share, string(c.Relation), logOf(c.Log10P, f), three(c.Effect)})
	}
	title := "Components of B"
	if f == page.Markdown {
		title = "Components"
	}
	return one(title, "", page.Block{Table: t})
}

// logOf writes a logarithm, or that there is none.
func logOf(p *verdict.Number, f page.Form) string {
	if p == nil && f == page.Text {
		return "-"
	}
	return verdict.Log(p)
}

func three(x verdict.Number) string { return fmt.Sprintf("%.3f", float64(x)) }

// layersSection says which layer of A each layer of B comes from: text in a few lines,
// Markdown in a table, HTML in a map.
func layersSection(r *Report, f page.Form) []page.Section {
	hidden := len(r.Layers) > 0 && r.hidden()
	switch {
	case hidden && f == page.Markdown:
		return one("Layers", "", append([]page.Block{{Words: layersHidden}}, scoreBlocks(r)...)...)
	case f == page.Markdown:
		return one("Layers", "", page.Block{Table: layerTable(r.Layers)})
	case len(r.Layers) == 0:
		return nil
	case hidden && f == page.Text:
		return one("", "layers B←A", page.Block{Words: layersFound(r)})
	case f == page.Text:
		return one("", "layers B←A", page.Block{Words: layerWords(r.Layers)})
	case hidden:
		return one("Layers of B", "", page.Block{Words: layersFound(r)})
	}
	return one("Layers of B", "", page.Block{Drawing: "layers"})
}

const layersHidden = "By order and place no layer of B has a source in A: the units do not stand as they did, so these tests cannot see one. What decided does not rest on them."

// layersFound points from the tests that see no layer to what shows them.
func layersFound(r *Report) string {
	if s := r.LayersShown(); s != nil {
		return layersHidden + " " + s.Title() + ": " + s.peaks() + "."
	}
	return layersHidden
}

// mostScores is how many layers of a side a table of layers against layers has.
const mostScores = 16

// scoreBlocks show layers of B against layers of A as a table, with the sentence that it
// is there for.
func scoreBlocks(r *Report) []page.Block {
	s := r.LayersShown()
	if s == nil {
		return nil
	}
	words := page.Block{Words: s.Title() + ". " + s.Words()}
	if len(s.A) > mostScores || len(s.B) > mostScores {
		return []page.Block{words}
	}
	t := &page.Table{Columns: []page.Column{figures("layer of B", 10, 0)}}
	for _, a := range s.A {
		t.Columns = append(t.Columns, figures(fmt.Sprintf("of A: %d", a), 8, 0))
	}
	for j, row := range s.Counts {
		cells := []string{fmt.Sprint(s.B[j])}
		for _, n := range row {
			cells = append(cells, fmt.Sprint(n))
		}
		t.Rows = append(t.Rows, cells)
	}
	return []page.Block{words, {Table: t}}
}

const rolesHidden = "Rows are compared as the files have them, where a disguise hides everything. What decided does not rest on them."

// hidden tells whether a relation was found although the layers show nothing by order
// and place.
func (r *Report) hidden() bool {
	return r.Verdict.Relation == verdict.Related && !slices.ContainsFunc(r.Layers, func(l Layer) bool { return l.A != nil })
}

func layerTable(all []Layer) *page.Table {
	t := &page.Table{Columns: []page.Column{figures("layer of B", 0, 0), figures("source in A", 0, 0), figures("log10 p", 0, 0), figures("effect", 0, 0)}}
	for _, l := range all {
		from := "none found"
		if l.A != nil {
			from = fmt.Sprint(*l.A)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(l.B), from, verdict.Log(l.Log10P), three(l.Effect)})
	}
	return t
}

func layerWords(all []Layer) string {
	words := make([]string, len(all))
	for i, l := range all {
		from := "none"
		if l.A != nil {
			from = fmt.Sprint(*l.A)
		}
		words[i] = fmt.Sprintf("%d←%s", l.B, from)
		if l.Tower != "main" && l.Tower != "" {
			words[i] = l.Tower + "." + words[i]
		}
	}
	return strings.Join(words, "  ")
}

// rolesSection shows how alike rows of each kind of role are.
func rolesSection(r *Report, _ page.Form) []page.Section {
	if len(r.Roles) == 0 {
		return nil
	}
	band := page.Column{Column: columns.Column{Head: "relabelled at random", Width: 20, Least: 15, Gap: 3}, Figures: true, Class: "whole"}
	t := &page.Table{Columns: []page.Column{named("role", 26, 10), figures("matrices", 8, 2), figures("rows", 8, 1), figures("cosine", 9, 0), band}}
	for _, l := range r.Roles {
		low, high := l.Band()
		t.Rows = append(t.Rows, []string{l.Role, fmt.Sprint(l.Matrices), fmt.Sprint(l.Rows), three(l.Cosine), fmt.Sprintf("%+.3f … %+.3f", low, high)})
	}
	if !r.hidden() {
		return one("Roles", "", page.Block{Table: t})
	}
	return one("Roles", "", page.Block{Words: rolesHidden, Soft: true}, page.Block{Table: t})
}
