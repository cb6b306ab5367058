package openvino

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

const (
	maxXML    = 512 << 20
	maxDepth  = 64
	maxLayers = 1 << 20
	maxRank   = 64
)

// layer is one operation, or a constant.
type layer struct {
	id, name, typ string
	at            int64 // in the file
	data          map[string]string
	inputs        []port // what each port takes
	users         []user
}

// port is an input of a layer: its number, and the layer that it takes.
type port struct {
	id   string
	from *layer
}

// user is an input that takes what a layer gives.
type user struct {
	l     *layer
	input int
}

// graph is a model, or the body of a loop or a branch.
type graph struct {
	layers []*layer
	byID   map[string]*layer
	edges  [][4]string // from layer, from port, to layer, to port
}

// parser reads the description.
type parser struct {
	file   string
	d      *xml.Decoder
	graphs []*graph
	kept   int // layers and edges
	meta   tensor.Metadata

	open   []string // elements that are open
	inside []*graph
	layer  *layer // that was begun last
	ports  bool   // those of inputs are being listed
}

func (p *parser) fail(class error, field, rule string, args ...any) error {
	return tensor.Errorf(class, p.file, p.d.InputOffset(), field, rule, args...)
}

// parse reads the whole description.
func (p *parser) parse(ctx context.Context) error {
	p.d.Strict = true
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := p.d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p.syntax(err)
		}
		switch t := t.(type) {
		case xml.Directive:
			err = p.fail(tensor.ErrFormat, "xml", "directives such as document types are not read")
		case xml.StartElement:
			err = p.start(t)
		case xml.EndElement:
			p.end(t.Name.Local)
		}
		if err != nil {
			return err
		}
	}
	if len(p.graphs) == 0 {
		return p.fail(tensor.ErrNotModel, "xml", "the document is empty")
	}
	for _, g := range p.graphs {
		g.connect()
	}
	return nil
}

// syntax is the error for a text that is no XML.
func (p *parser) syntax(err error) error {
	class := error(tensor.ErrFormat)
	var broken *xml.SyntaxError
	if errors.As(err, &broken) && strings.Contains(broken.Msg, "unexpected EOF") {
		class = io.ErrUnexpectedEOF
	}
	return p.fail(class, "xml", "%v", err)
}

// start takes note of an element that opens.
func (p *parser) start(t xml.StartElement) error {
	name := t.Name.Local
	switch {
	case len(p.open) == maxDepth:
		return p.fail(tensor.ErrLimit, "xml", "elements within one another deeper than %d", maxDepth)
	case len(p.open) == 0 && name != "net":
		return p.fail(tensor.ErrNotModel, "xml", "the document is %s, no OpenVINO model (net)", escape.Printable(name))
	}
	p.open = append(p.open, name)
	switch parent := above(p.open); {
	case name == "net":
		p.meta["openvino.name"], p.meta["openvino.version"] = attr(t, "name"), attr(t, "version")
		p.enter()
	case bodies[name]:
		p.enter()
	case len(p.inside) == 0:
	case name == "layer" && parent == "layers":
		return p.add(t, p.inside[len(p.inside)-1])
	case name == "edge":
		return p.edge(t, p.inside[len(p.inside)-1])
	case name == "data" && parent == "layer":
		return p.data(t)
	case name == "input":
		p.ports = parent == "layer"
	case name == "port" && parent == "input" && p.ports && p.layer != nil:
		p.layer.inputs = append(p.layer.inputs, port{id: attr(t, "id")})
	}
	return nil
}

// bodies are the elements that hold a graph within a layer.
var bodies = map[string]bool{"body": true, "then_body": true, "else_body": true}

// enter begins a graph.
func (p *parser) enter() {
	g := &graph{byID: map[string]*layer{}}
	p.graphs, p.inside = append(p.graphs, g), append(p.inside, g)
}

// end takes note of an element that closes.
func (p *parser) end(name string) {
	p.open = p.open[:len(p.open)-1]
	switch {
	case name == "net" || bodies[name]:
		p.inside = p.inside[:len(p.inside)-1]
		p.layer = nil
	case name == "input":
		p.ports = false
	}
}

// data keeps the attributes of a layer.
func (p *parser) data(t xml.StartElement) error {
	if p.layer == nil {
		return nil
	}
	if p.layer.data != nil {
		return p.fail(tensor.ErrFormat, "layer "+quote(p.layer.name), "two data elements")
	}
	p.layer.data = map[string]string{}
	for _, a := range t.Attr {
		p.layer.data[a.Name.Local] = a.Value
	}
	return nil
}

// edge takes note of what takes what.
func (p *parser) edge(t xml.StartElement, g *graph) error {
	g.edges = append(g.edges, [4]string{attr(t, "from-layer"), attr(t, "from-port"), attr(t, "to-layer"), attr(t, "to-port")})
	return p.count()
}

// count bounds what is kept.
func (p *parser) count() error {
	if p.kept++; p.kept > maxLayers {
		return p.fail(tensor.ErrLimit, "layers", "more than %d layers and edges", maxLayers)
	}
	return nil
}

// above is the element around the innermost one.
func above(open []string) string {
	if len(open) < 2 {
		return ""
	}
	return open[len(open)-2]
}

// add takes note of a layer.
func (p *parser) add(t xml.StartElement, g *graph) error {
	l := &layer{id: attr(t, "id"), name: attr(t, "name"), typ: attr(t, "type"), at: p.d.InputOffset()}
	if g.byID[l.id] != nil {
		return p.fail(tensor.ErrFormat, "layer "+quote(l.name), "two layers have the number %s", quote(l.id))
	}
	g.layers, g.byID[l.id], p.layer = append(g.layers, l), l, l
	return p.count()
}

// connect follows the edges.
func (g *graph) connect() {
	for _, e := range g.edges {
		from, to := g.byID[e[0]], g.byID[e[2]]
		if from == nil || to == nil {
			continue
		}
		for i := range to.inputs {
			if to.inputs[i].id == e[3] {
				to.inputs[i].from = from
				from.users = append(from.users, user{to, i})
			}
		}
	}
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func quote(s string) string { return strconv.QuoteToASCII(s) }
