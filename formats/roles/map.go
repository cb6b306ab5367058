package roles

import (
	"cmp"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Map gives every tensor of the model a role. It reads no values; it never
// fails: what it does not know becomes generic.
func Map(m tensor.Model) *Network {
	return mapped(m, true)
}

// Unnamed maps a model as if no name of a tensor were known: every matrix gets a
// generic role. It is how a model is held against one whose names say nothing.
func Unnamed(m tensor.Model) *Network { return mapped(m, false) }

func mapped(m tensor.Model, named bool) *Network {
	n := &Network{Family: "generic", Roles: make([]Assignment, 0, len(m.Tensors()))}
	towers, rest := collect(m)
	if !named {
		towers, rest = nil, slices.Clone(m.Tensors())
	}
	_, gguf := m.Metadata().String("general.architecture")
	for i, f := range towers {
		b := &builder{net: n, fam: f.familyFor(m.Metadata()), gguf: gguf, found: f, meta: m.Metadata()}
		if i == 0 {
			n.Family = b.fam.name
		}
		n.Towers = append(n.Towers, b.tower())
		rest = append(rest, b.left...)
	}
	if s, ok := m.Metadata().String("config.model_type", "general.architecture"); ok && n.Family == "generic" {
		n.Family = familyOf(s).name
	}
	finish(n, m, rest)
	return n
}

// finish gives the tensors that are left generic roles, in stored order.
func finish(n *Network, m tensor.Model, rest []*tensor.Tensor) {
	order := map[*tensor.Tensor]int{}
	for i, t := range m.Tensors() {
		order[t] = i
	}
	slices.SortFunc(rest, func(a, b *tensor.Tensor) int { return cmp.Compare(order[a], order[b]) })
	generic(n, rest)
	slices.SortStableFunc(n.Roles, func(a, b Assignment) int { return cmp.Compare(order[a.Tensor], order[b.Tensor]) })
}
