package onnx

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// model is what is kept of a ModelProto.
type model struct {
	version             int64 // ir_version
	producer, producer2 string
	opset               int64 // of the standard operators
	props               [][2]string
	graph               *graph
	functions           []*graph
	training            bool
}

// graph is one graph, or the body of a function.
type graph struct {
	path   string // of graphs around it, "" for the main one
	parent *graph
	nodes  []*node
	consts []*constant
	inputs []string
	sparse []*constant // sparse initialisers, which are not read
}

// node is one operator.
type node struct {
	op, domain, name string
	in, out          []string
	attrs            []attr
	scopes           string // where in the exported program it comes from
	graphs           []*graph
	at               int64
	order            int // among all nodes, as they are carried out
}

// attr is a number, a short text or a list of numbers of an operator.
type attr struct {
	name string
	i    int64
	s    string
}

// int returns an attribute, or a default.
func (n *node) int(name string, otherwise int64) int64 {
	for _, a := range n.attrs {
		if a.name == name {
			return a.i
		}
	}
	return otherwise
}

// model reads a ModelProto.
func (d *decoder) model(size int64) (*model, error) {
	m := &model{}
	err := d.message("model", size, func(x field) (err error) {
		switch x.number {
		case 1:
			m.version, err = d.number(x, "ir_version")
		case 2:
			m.producer, err = d.text(x, "producer_name")
		case 3:
			m.producer2, err = d.text(x, "producer_version")
		case 7:
			if m.graph != nil {
				return d.fail(tensor.ErrFormat, x.at, "graph", "the field stands twice")
			}
			m.graph = &graph{}
			err = d.graph(x, m.graph)
		case 8:
			err = d.opset(x, m)
		case 14:
			var kv [2]string
			if kv, err = d.entry(x, "metadata_props"); err == nil && len(m.props) < maxProps {
				m.props = append(m.props, kv)
			}
		case 20:
			m.training = true
		case 25:
			f := &graph{path: fmt.Sprintf("function_%d", len(m.functions))}
			m.functions = append(m.functions, f)
			err = d.function(x, f)
		}
		return err
	})
	if err == nil && m.graph == nil {
		err = d.fail(tensor.ErrNotModel, 0, "graph", "the file holds no graph, as an ONNX model does")
	}
	return m, err
}

// maxProps is how many entries of metadata are kept.
const maxProps = 256

// opset keeps the version of the standard operators.
func (d *decoder) opset(x field, m *model) error {
	if err := d.bytes(x, "opset_import"); err != nil {
		return err
	}
	domain, version := "", int64(0)
	err := d.message("opset_import", x.hi, func(x field) (err error) {
		switch x.number {
		case 1:
			domain, err = d.text(x, "opset_import domain")
		case 2:
			version, err = d.number(x, "opset_import version")
		}
		return err
	})
	if domain == "" || domain == "ai.onnx" {
		m.opset = version
	}
	return err
}

// entry reads a StringStringEntryProto. Values longer than any text are left
// out.
func (d *decoder) entry(x field, what string) (kv [2]string, err error) {
	if err := d.bytes(x, what); err != nil {
		return kv, err
	}
	return kv, d.message(what, x.hi, func(x field) (err error) {
		if (x.number == 1 || x.number == 2) && x.hi-x.lo <= maxText {
			kv[x.number-1], err = d.text(x, what)
		}
		return err
	})
}

// graph reads a GraphProto.
func (d *decoder) graph(x field, g *graph) error {
	if err := d.bytes(x, "graph"); err != nil {
		return err
	}
	if d.depth++; d.depth > maxDepth {
		return d.fail(tensor.ErrLimit, x.at, "graph", "graphs within one another deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	return d.message("graph", x.hi, func(x field) error {
		switch x.number {
		case 1:
			return d.node(x, g)
		case 5:
			c, err := d.tensor(x, "initializer")
			if err == nil {
				g.consts = append(g.consts, c)
			}
			return err
		case 11:
			name, err := d.first(x, "input")
			if err == nil {
				g.inputs = append(g.inputs, name)
				err = d.spend(1)
			}
			return err
		case 15:
			c, err := d.sparse(x)
			if err == nil {
				g.sparse = append(g.sparse, c)
			}
			return err
		}
		return nil
	})
}

// first reads the first field of a message, a name.
func (d *decoder) first(x field, what string) (name string, err error) {
	if err := d.bytes(x, what); err != nil {
		return "", err
	}
	return name, d.message(what, x.hi, func(x field) (err error) {
		if x.number == 1 {
			name, err = d.text(x, what+" name")
		}
		return err
	})
}

// function reads the nodes of a FunctionProto: operators of the model's own.
func (d *decoder) function(x field, g *graph) error {
	if err := d.bytes(x, "function"); err != nil {
		return err
	}
	return d.message("function", x.hi, func(x field) (err error) {
		switch x.number {
		case 1:
			g.path, err = d.text(x, "function name")
		case 4:
			var name string
			if name, err = d.text(x, "function input"); err == nil {
				g.inputs = append(g.inputs, name)
				err = d.spend(1)
			}
		case 7:
			err = d.node(x, g)
		}
		return err
	})
}

// scopesKey is under which torch's exporter says which module a node is of.
const scopesKey = "pkg.torch.onnx.name_scopes"

// node reads a NodeProto.
func (d *decoder) node(x field, g *graph) error {
	if err := d.bytes(x, "node"); err != nil {
		return err
	}
	if err := d.spend(4); err != nil {
		return err
	}
	n := &node{at: x.at}
	g.nodes = append(g.nodes, n)
	var held []*constant
	err := d.message("node", x.hi, func(x field) (err error) {
		var s string
		switch x.number {
		case 1, 2:
			if s, err = d.text(x, "node input"); err == nil {
				err = d.spend(1)
			}
			if x.number == 1 {
				n.in = append(n.in, s)
			} else {
				n.out = append(n.out, s)
			}
		case 3:
			n.name, err = d.text(x, "node name")
		case 4:
			n.op, err = d.text(x, "node op_type")
		case 5:
			held, err = d.attribute(x, n, g, held)
		case 7:
			n.domain, err = d.text(x, "node domain")
		case 9:
			var kv [2]string
			if kv, err = d.entry(x, "node metadata_props"); kv[0] == scopesKey {
				n.scopes = kv[1]
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return d.adopt(n, g, held)
}

// adopt names the tensors that a node holds itself: a Constant's after its
// output, others' after the node.
func (d *decoder) adopt(n *node, g *graph, held []*constant) error {
	for i, c := range held {
		switch {
		case n.op == "Constant" && len(held) == 1 && len(n.out) == 1:
			c.name, c.node = n.out[0], true
		case len(n.out) == 0:
			return d.fail(tensor.ErrFormat, n.at, "node", "a node without outputs holds a tensor")
		default:
			c.name, c.node = fmt.Sprintf("%s.%s.%d", n.out[0], c.name, i), true
			c.fill = n.op == "ConstantOfShape"
		}
		g.consts = append(g.consts, c)
	}
	return nil
}

// attribute reads an AttributeProto and returns held with the tensors of it.
func (d *decoder) attribute(x field, n *node, g *graph, held []*constant) ([]*constant, error) {
	if err := d.bytes(x, "attribute"); err != nil {
		return nil, err
	}
	a := attr{}
	seen := len(held)
	floats := &constant{at: x.at, elem: elems[1], typ: 1}
	err := d.message("attribute", x.hi, func(x field) (err error) {
		switch x.number {
		case 1:
			a.name, err = d.text(x, "attribute name")
		case 3:
			a.i, err = d.number(x, "attribute i")
		case 4:
			if x.hi-x.lo <= 64 { // longer ones are no modes
				b, e := d.take(uint64(x.hi-x.lo), "attribute s")
				a.s, err = string(b), e
			}
		case 5, 10:
			var c *constant
			if c, err = d.tensor(x, "attribute tensor"); err == nil {
				held = append(held, c)
			}
		case 6, 11:
			sub := &graph{parent: g, path: fmt.Sprintf("%s%s/%s_%d", slash(g.path), n.name, a.name, len(n.graphs))}
			n.graphs = append(n.graphs, sub)
			err = d.graph(x, sub)
		case 7:
			err = d.floats(x, floats)
		case 22, 23:
			held = append(held, &constant{at: x.at, sparse: true})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, c := range held[seen:] {
		c.name = a.name
	}
	if n.op == "Constant" && a.name == "value_floats" && floats.where.n > 0 {
		floats.dims, floats.name = []int64{floats.where.n / 4}, a.name
		held = append(held, floats)
	}
	n.attrs = append(n.attrs, a)
	return held, d.spend(2)
}

// floats notes where a list of floats lies: packed, or one by one, each behind
// a tag of one byte.
func (d *decoder) floats(x field, c *constant) error {
	fail := func(rule string, args ...any) error {
		return d.fail(tensor.ErrFormat, x.at, "attribute floats", rule, args...)
	}
	n := x.hi - x.lo
	switch {
	case x.wire == wireBytes && c.field == 0 && n%4 == 0:
		c.where, c.field = run{x.lo, n}, floatData
	case x.wire == wireFixed4 && c.field == 0:
		c.where, c.field, c.apart = run{x.lo, 4}, floatData, true
	case x.wire == wireFixed4 && c.apart && x.lo == c.where.at+c.where.n/4*5:
		c.where.n += 4
	default:
		return fail("floats that are neither packed nor one behind the other, %d bytes", n)
	}
	return nil
}

func slash(path string) string {
	if path == "" {
		return ""
	}
	return path + "/"
}
