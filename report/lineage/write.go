package lineage

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// WriteJSON writes the graph as indented JSON.
func (g *Graph) WriteJSON(w io.Writer) error {
	return report.EncodeJSON(w, g)
}

// children lists the edges that leave a node.
func (g *Graph) children(id int) (out []Edge) {
	for _, e := range g.Edges {
		if e.From == id {
			out = append(out, e)
		}
	}
	return out
}

// roots lists the nodes that no edge enters.
func (g *Graph) roots() (out []int) {
	for _, n := range g.Nodes {
		entered := false
		for _, e := range g.Edges {
			entered = entered || e.To == n.ID
		}
		if !entered {
			out = append(out, n.ID)
		}
	}
	return out
}

// label says how an edge was made.
func (e *Edge) label() string {
	words := make([]string, 0, len(e.Kinds))
	for _, k := range e.Kinds {
		words = append(words, string(k))
	}
	s := string(e.Relation)
	if len(words) > 0 {
		s = strings.Join(words, ", ")
	}
	if e.Direction == "undetermined" {
		s += " (direction undetermined)"
	}
	return s
}

// WriteText writes the graph as an indented tree; models with two parents
// stand below both.
func (g *Graph) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, r := range g.roots() {
		fmt.Fprintf(&b, "%s\n", tensor.Printable(g.Nodes[r].Ref))
		g.branch(&b, r, 1, map[int]bool{r: true})
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Graph) branch(b *strings.Builder, id, depth int, above map[int]bool) {
	for _, e := range g.children(id) {
		fmt.Fprintf(b, "%s%s  %s\n", strings.Repeat("   ", depth), tensor.Printable(g.Nodes[e.To].Ref), e.label())
		if above[e.To] {
			continue
		}
		above[e.To] = true
		g.branch(b, e.To, depth+1, above)
		delete(above, e.To)
	}
}

// WriteDOT writes the graph for Graphviz.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph lineage {\n  node [shape=box];\n")
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  n%d [label=%s];\n", n.ID, quoted(n.Ref))
	}
	for _, e := range g.Edges {
		style := ""
		if e.Direction == "undetermined" {
			style = ", dir=none"
		}
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s%s];\n", e.From, e.To, quoted(e.label()), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(tensor.Printable(s)) + `"`
}

// Sizes of the picture, in pixels.
const (
	rowHeight   = 34
	indentWidth = 46
	boxHeight   = 24
	letterWidth = 7
)

// WriteSVG draws the tree from top to bottom, one model a row, with a line to
// each of its parents. The picture has no script, style sheet or link.
func (g *Graph) WriteSVG(w io.Writer) error {
	type place struct{ x, y int }
	at := map[int]place{}
	row := 0
	width := 0
	var walk func(id, depth int)
	walk = func(id, depth int) {
		if _, done := at[id]; done {
			return
		}
		at[id] = place{10 + depth*indentWidth, 10 + row*rowHeight}
		width = max(width, at[id].x+letterWidth*(len(g.Nodes[id].Ref)+44))
		row++
		for _, e := range g.children(id) {
			walk(e.To, depth+1)
		}
	}
	for _, r := range g.roots() {
		walk(r, 0)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="monospace" font-size="12" role="img"><title>lineage of %d models</title>`+"\n", width, 20+row*rowHeight, len(g.Nodes))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for _, e := range g.Edges {
		p, c := at[e.From], at[e.To]
		dash := ""
		if e.Direction == "undetermined" {
			dash = ` stroke-dasharray="4 3"`
		}
		fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="#555555"%s/>`+"\n", p.x+12, p.y+boxHeight, c.y+boxHeight/2, c.x, dash)
	}
	labelled := map[int]string{}
	for _, e := range g.Edges {
		labelled[e.To] = e.label()
	}
	for _, n := range g.Nodes {
		p := at[n.ID]
		name := tensor.Printable(n.Ref)
		wide := letterWidth*len(name) + 16
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#f4f4f4" stroke="#333333"/><text x="%d" y="%d" fill="#111111">%s</text>`+"\n", p.x, p.y, wide, boxHeight, p.x+8, p.y+16, html.EscapeString(name))
		if l := labelled[n.ID]; l != "" {
			fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#444444">%s</text>`+"\n", p.x+wide+8, p.y+16, html.EscapeString(l))
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
