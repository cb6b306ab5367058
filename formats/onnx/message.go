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
