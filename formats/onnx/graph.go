package onnx

import "slices"

// value is one named value of a graph: a constant or what a node gives.
type value struct {
	name string
	c    *constant
	by   *node
	uses []use
}

// use is one input of a node.
type use struct {
	n     *node
	input int
	in    *values // of the graph that the node is in
}

// values are those of one graph. What it does not define is defined by the
// graphs around it.
type values struct {
	g      *graph
	parent *values
	named  map[string]*value
}

// wiring is all values of a model.
type wiring struct {
	all   []*values
	nodes int // seen so far
}

// wire finds what is used where, in a graph and what is within it.
func (w *wiring) wire(g *graph, parent *values) {
	v := &values{g: g, parent: parent, named: map[string]*value{}}
	w.all = append(w.all, v)
	for _, c := range g.consts {
		if v.named[c.name] == nil {
			v.named[c.name] = &value{name: c.name, c: c}
		}
	}
	for _, in := range g.inputs {
		if v.named[in] == nil {
			v.named[in] = &value{name: in}
		}
	}
	for _, n := range g.nodes {
		for _, out := range n.out {
			if x := v.named[out]; out != "" && x == nil {
				v.named[out] = &value{name: out, by: n}
			}
		}
	}
	for _, n := range g.nodes {
		n.order, w.nodes = w.nodes, w.nodes+1
		for i, in := range n.in {
			if x := v.find(in); x != nil {
				x.uses = append(x.uses, use{n, i, v})
			}
		}
		for _, sub := range n.graphs {
			w.wire(sub, v)
		}
	}
}

// find returns the value of a name, of this graph or one around it.
func (v *values) find(name string) *value {
	if name == "" {
		return nil
	}
	for ; v != nil; v = v.parent {
		if x := v.named[name]; x != nil {
			return x
		}
	}
	return nil
}

// constant returns the constant that an input is, perhaps through operators
// that change no number, or nil.
func (v *values) constant(n *node, input int) *constant {
	if input < 0 || input >= len(n.in) {
		return nil
	}
	for range maxHops {
		x := v.find(n.in[input])
		switch {
		case x == nil:
			return nil
		case x.c != nil:
			return x.c
		case x.by == nil || len(x.by.in) == 0 || !slices.Contains(passing, x.by.op):
			return nil
		}
		n, input = x.by, 0
	}
	return nil
}

// maxHops bounds how far a value is followed.
const maxHops = 8

// passing are operators whose result holds the numbers of their first input in
// the same order.
var passing = []string{"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}

// ends lists where a value is used in the end, through operators of the given
// names, of which it is the first input.
func (x *value) ends(through []string) []use {
	var out []use
	seen := map[*value]bool{x: true}
	for queue := []*value{x}; len(queue) > 0; queue = queue[1:] {
		for _, u := range queue[0].uses {
			if len(out) == maxUses || len(seen) > maxUses {
				return out
			}
			if u.input != 0 || !slices.Contains(through, u.n.op) || len(u.n.out) == 0 {
				out = append(out, u)
				continue
			}
			if y := u.in.find(u.n.out[0]); y != nil && !seen[y] {
				seen[y] = true
				queue = append(queue, y)
			}
		}
	}
	return out
}

// maxUses bounds how many uses of a value are looked at.
const maxUses = 64

// then returns the node of one of the given kinds that takes what a node
// gives, perhaps through others, or nil.
func (v *values) then(n *node, through []string, ops ...string) (use, bool) {
	if len(n.out) == 0 {
		return use{}, false
	}
	x := v.find(n.out[0])
	if x == nil {
		return use{}, false
	}
	for _, u := range x.ends(through) {
		if slices.Contains(ops, u.n.op) {
			return u, true
		}
	}
	return use{}, false
}
