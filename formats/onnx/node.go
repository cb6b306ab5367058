package onnx

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

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
	held = slices.DeleteFunc(held, func(c *constant) bool { return c.list && !n.weighs(c) })
	return d.adopt(n, g, held)
}

// weighs tells whether a list of floats that a node holds is of weights: those of the operators
// for regressions, support vectors, trees and scalers are, those of others are settings.
func (n *node) weighs(c *constant) bool {
	return n.domain == "ai.onnx.ml" || n.op == "Constant" && c.name == "value_floats"
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
	if floats.where.n > 0 {
		floats.dims, floats.name, floats.list = []int64{floats.where.n / 4}, a.name, true
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
