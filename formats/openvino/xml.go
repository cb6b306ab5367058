package openvino

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
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
	layers int
	meta   tensor.Metadata
}

func (p *parser) fail(class error, field, rule string, args ...any) error {
	return tensor.Errorf(class, p.file, p.d.InputOffset(), field, rule, args...)
}

// parse reads the whole description.
func (p *parser) parse(ctx context.Context) error {
	p.d.Strict = true
	var open []string // elements that are open
	var inside []*graph
	var l *layer
	ports := false // of inputs
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := p.d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") {
				return p.fail(io.ErrUnexpectedEOF, "xml", "%v", err)
			}
			return p.fail(tensor.ErrFormat, "xml", "%v", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return p.fail(tensor.ErrFormat, "xml", "directives such as document types are not read")
		case xml.StartElement:
			if len(open) == maxDepth {
				return p.fail(tensor.ErrLimit, "xml", "elements within one another deeper than %d", maxDepth)
			}
			if len(open) == 0 && t.Name.Local != "net" {
				return p.fail(tensor.ErrNotModel, "xml", "the document is %s, no OpenVINO model (net)", tensor.Printable(t.Name.Local))
			}
			open = append(open, t.Name.Local)
			switch parent := above(open); t.Name.Local {
			case "net":
				p.meta["openvino.name"], p.meta["openvino.version"] = attr(t, "name"), attr(t, "version")
				fallthrough
			case "body", "then_body", "else_body":
				g := &graph{byID: map[string]*layer{}}
				p.graphs, inside = append(p.graphs, g), append(inside, g)
			case "layer":
				if len(inside) == 0 || parent != "layers" {
					break
				}
				if l, err = p.layer(t, inside[len(inside)-1]); err != nil {
					return err
				}
			case "data":
				if l != nil && parent == "layer" {
					if l.data != nil {
						return p.fail(tensor.ErrFormat, "layer "+quote(l.name), "two data elements")
					}
					l.data = map[string]string{}
					for _, a := range t.Attr {
						l.data[a.Name.Local] = a.Value
					}
				}
			case "input":
				ports = parent == "layer"
			case "port":
				if l != nil && ports && parent == "input" {
					l.inputs = append(l.inputs, port{id: attr(t, "id")})
				}
			case "edge":
				if len(inside) > 0 {
					g := inside[len(inside)-1]
					g.edges = append(g.edges, [4]string{attr(t, "from-layer"), attr(t, "from-port"), attr(t, "to-layer"), attr(t, "to-port")})
					if p.layers++; p.layers > maxLayers {
						return p.fail(tensor.ErrLimit, "edges", "more than %d layers and edges", maxLayers)
					}
				}
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			switch t.Name.Local {
			case "net", "body", "then_body", "else_body":
				inside = inside[:len(inside)-1]
				l = nil
			case "input":
				ports = false
			}
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

// above is the element around the innermost one.
func above(open []string) string {
	if len(open) < 2 {
		return ""
	}
	return open[len(open)-2]
}

// layer takes note of a layer.
func (p *parser) layer(t xml.StartElement, g *graph) (*layer, error) {
	if p.layers++; p.layers > maxLayers {
		return nil, p.fail(tensor.ErrLimit, "layers", "more than %d layers and edges", maxLayers)
	}
	l := &layer{id: attr(t, "id"), name: attr(t, "name"), typ: attr(t, "type"), at: p.d.InputOffset()}
	if g.byID[l.id] != nil {
		return nil, p.fail(tensor.ErrFormat, "layer "+quote(l.name), "two layers have the number %s", quote(l.id))
	}
	g.layers, g.byID[l.id] = append(g.layers, l), l
	return l, nil
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
