package lineage

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/report/verdict"
)

// Sizes of the picture, in pixels.
const (
	rowHeight   = 32
	indentWidth = 40
	boxHeight   = 24
	letterWidth = 7.4
	margin      = 10
	mostLetters = 56 // of a name
)

// sheet follows the reader's light or dark setting. The picture holds nothing
// else that acts, and no link.
const sheet = `<style>text{font:12px ui-monospace,monospace;fill:#1a1a1a}.l{fill:#565656}rect{fill:#f5f6f8;stroke:#868686}path{fill:none;stroke:#2563a8;stroke-width:1.5}.d,.m{stroke-dasharray:2 3}.u,.h{stroke:#868686;stroke-dasharray:4 3}.m{stroke:#b04a00}
@media (prefers-color-scheme:dark){text{fill:#ececec}.l{fill:#b4b4b4}rect{fill:#1f2226;stroke:#7f858c}path{stroke:#7fb2e5}.u,.h{stroke:#7f858c}.m{stroke:#ffab5e}}</style>`

// place is where a model stands in the picture.
type place struct{ x, y int }

// layout gives every model a row, below its first parent.
func (g *Graph) layout() map[int]place {
	at := map[int]place{}
	var walk func(id, depth int)
	walk = func(id, depth int) {
		if _, done := at[id]; done {
			return
		}
		at[id] = place{margin + depth*indentWidth, margin + len(at)*rowHeight}
		for _, e := range g.children(id) {
			walk(e.To, depth+1)
		}
	}
	for _, r := range g.roots() {
		walk(r, 0)
	}
	for _, n := range g.Nodes { // what only a circle leads to
		walk(n.ID, 0)
	}
	return at
}

// WriteSVG draws the tree from top to bottom, one model a row, with a line to
// each of its parents: dashed where the direction is undetermined, in another
// colour to the parents of merged models. It follows the reader's light or
// dark setting and has no script and no link.
func (g *Graph) WriteSVG(w io.Writer) error {
	at, names := g.layout(), g.names()
	labels := map[int]string{}
	for _, e := range g.Edges {
		labels[e.To] = e.label()
	}
	var shapes strings.Builder
	for _, e := range g.Edges {
		shapes.WriteString(e.line(at[e.From], at[e.To]))
	}
	wide := 0.0
	for _, n := range g.Nodes {
		p, name := at[n.ID], cut(names[n.ID])
		box := letterWidth*float64(utf8.RuneCountInString(name)) + 16
		class := ""
		if n.Hidden != "" {
			class = ` class="h"`
		}
		fmt.Fprintf(&shapes, `<rect%s x="%d" y="%d" width="%.1f" height="%d" rx="4"/><text x="%d" y="%d">%s</text>`, class, p.x, p.y, box, boxHeight, p.x+8, p.y+16, html.EscapeString(name))
		end := float64(p.x) + box
		if l := labels[n.ID]; l != "" {
			fmt.Fprintf(&shapes, `<text class="l" x="%.1f" y="%d">%s</text>`, end+8, p.y+16, html.EscapeString(l))
			end += 8 + letterWidth*float64(utf8.RuneCountInString(l))
		}
		wide = max(wide, end+margin)
	}
	models := len(slices.DeleteFunc(slices.Clone(g.Nodes), func(n Node) bool { return n.Hidden != "" }))
	high := 2*margin + len(g.Nodes)*rowHeight
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %d" width="%.1f" height="%d" role="img" aria-label="lineage of %d models"><title>lineage of %d models</title><desc>%s</desc>%s%s</svg>`+"\n",
		wide, high, wide, high, models, models, html.EscapeString(g.words()), sheet, shapes.String())
	return err
}

// line leads from a parent to its child.
func (e *Edge) line(p, c place) string {
	class, x, y := "d", p.x+12, c.y+boxHeight/2 // dotted: a reading of marks
	switch {
	case e.Direction == verdict.AToB:
		class = "s"
	case e.Reading != verdict.AToB:
		class = "u"
	case slices.Contains(e.Kinds, verdict.Merged):
		class, x, y = "m", p.x+20, y+4
	}
	return fmt.Sprintf(`<path class="%s" d="M%d %dV%dH%d"/>`, class, x, p.y+boxHeight, y, c.x)
}

// words says what the picture shows.
func (g *Graph) words() string {
	var out []string
	names := g.names()
	for _, e := range g.Edges {
		joint := " beside "
		switch {
		case e.Direction == verdict.AToB:
			joint = " made from "
		case e.Reading == verdict.AToB:
			joint = " reads as made from "
		}
		out = append(out, cut(names[e.To])+joint+cut(names[e.From]))
	}
	if len(out) == 0 {
		return "no two of the models are related"
	}
	return strings.Join(out, "; ")
}

// cut leaves the first letters of a long name.
func cut(s string) string {
	r := []rune(s)
	if len(r) > mostLetters {
		return string(r[:mostLetters-1]) + "…"
	}
	return s
}
