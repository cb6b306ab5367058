package lineage

import (
	"github.com/weightprint/weightprint/report/verdict"

	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
)

// WriteJSON writes the graph as indented JSON.
func (g *Graph) WriteJSON(w io.Writer) error {
	return escape.WriteJSON(w, g)
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
	switch {
	case e.Lead:
		s = "lead: sketches correspond (direction undetermined)"
	case e.Direction == verdict.AToB:
	case e.Reading == verdict.AToB:
		s += " (a reading; direction undetermined)"
	default:
		s += " (direction undetermined)"
	}
	return s
}

// WriteText writes the graph as an indented tree; models with two parents
// stand below both.
func (g *Graph) WriteText(w io.Writer) error {
	var b strings.Builder
	names := g.names()
	for _, r := range g.roots() {
		fmt.Fprintf(&b, "%s\n", names[r])
		g.branch(&b, names, r, "", map[int]bool{r: true})
	}
	if g.Screening {
		fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(screening, ". ", ".\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// branch writes what stands below a node, with lines that lead to it.
func (g *Graph) branch(b *strings.Builder, names []string, id int, lines string, above map[int]bool) {
	below := g.children(id)
	for i, e := range below {
		fork, on := "├─ ", "│  "
		if i == len(below)-1 {
			fork, on = "└─ ", "   "
		}
		fmt.Fprintf(b, "%s%s%s  %s\n", lines, fork, names[e.To], e.label())
		if above[e.To] {
			continue
		}
		above[e.To] = true
		g.branch(b, names, e.To, lines+on, above)
		delete(above, e.To)
	}
}

// names are the models' references as outputs show them, without the folders
// that all of them share.
func (g *Graph) names() []string {
	shared := ""
	for i, n := range g.Nodes {
		if n.Hidden != "" {
			continue
		}
		dir := n.Ref[:strings.LastIndexByte(n.Ref, '/')+1]
		if i == 0 {
			shared = dir
		}
		for !strings.HasPrefix(dir, shared) {
			shared = shared[:strings.LastIndexByte(shared[:len(shared)-1], '/')+1]
		}
	}
	out := make([]string, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Hidden != "" {
			out[i] = hiddenNames[n.Hidden]
			continue
		}
		out[i] = escape.Printable(n.Ref[len(shared):])
	}
	return out
}

// hiddenNames say what a node stands for that is no model.
var hiddenNames = map[string]string{
	Ancestor:       "(a common ancestor, not among the models)",
	Initialisation: "(the same random initialisation)",
}

// WriteDOT writes the graph for Graphviz.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph lineage {\n  node [shape=box];\n")
	for _, n := range g.Nodes {
		if n.Hidden != "" {
			fmt.Fprintf(&b, "  n%d [label=%s, style=dashed];\n", n.ID, quoted(hiddenNames[n.Hidden]))
			continue
		}
		fmt.Fprintf(&b, "  n%d [label=%s];\n", n.ID, quoted(n.Ref))
	}
	for _, e := range g.Edges {
		style := ""
		switch {
		case e.Direction == verdict.AToB:
		case e.Reading == verdict.AToB:
			style = ", style=dotted"
		default:
			style = ", dir=none"
		}
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s%s];\n", e.From, e.To, quoted(e.label()), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(escape.Printable(s)) + `"`
}
