package aligned

import (
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
)

// Part sums up what one component of a network consists of.
type Part struct {
	Name     string // with the tower, unless it is the main one
	Tensors  int
	Values   int64
	Matrices []*roles.Matrix
}

// Parts lists the components of a network in a fixed order.
func Parts(n *roles.Network) []*Part {
	var out []*Part
	add := func(tower, component string, m *roles.Matrix) {
		name := component
		if tower != "main" {
			name = tower + "." + component
		}
		i := slices.IndexFunc(out, func(p *Part) bool { return p.Name == name })
		if i < 0 {
			i = len(out)
			out = append(out, &Part{Name: name})
		}
		out[i].Tensors++
		out[i].Matrices = append(out[i].Matrices, m)
		out[i].Values += int64(m.Rows) * int64(m.Cols)
	}
	for _, t := range n.Towers {
		tower, of := &roles.Network{Towers: []*roles.Tower{t}}, componentsOf(t)
		for _, m := range tower.Matrices() {
			add(t.Name, of[m], m)
		}
	}
	for _, m := range n.Generic {
		add("main", "generic", m)
	}
	return out
}

// componentsOf names the part of a network that each matrix of a tower belongs
// to.
func componentsOf(t *roles.Tower) map[*roles.Matrix]string {
	of := map[*roles.Matrix]string{}
	set := func(name string, ms ...*roles.Matrix) {
		for _, m := range ms {
			of[m] = name
		}
	}
	for _, l := range t.Layers {
		for _, o := range l.Others {
			set(o.Component(), o.Matrix)
		}
		mlp := "mlp"
		if len(l.MLPs()) > 1 {
			mlp = "experts"
		}
		for _, e := range l.MLPs() {
			set(mlp, e.Gate, e.Up, e.Down)
		}
		set("experts", l.Router)
		set("attention", l.Q, l.K, l.V, l.O)
	}
	set("embeddings", t.Embedding, t.Head, t.Positions)
	return of
}
