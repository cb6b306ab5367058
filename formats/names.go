package formats

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// names finds tensors by name: those of mixtures are 140,000, and a map of them takes
// five times as much memory.
type names []*tensor.Tensor // by ascending name

func byName(a, b *tensor.Tensor) int { return strings.Compare(a.Name, b.Name) }

// find returns the tensor of a name, or nil.
func (n names) find(name string) *tensor.Tensor {
	i, ok := slices.BinarySearchFunc(n, name, func(t *tensor.Tensor, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return nil
	}
	return n[i]
}

// with adds tensors whose names are not there yet; twice is one whose name is.
func (n names) with(more []*tensor.Tensor) (all names, twice *tensor.Tensor) {
	more = slices.Clone(more)
	slices.SortStableFunc(more, byName)
	if len(n) == 0 {
		all = more
	} else if len(more) == 0 || n[len(n)-1].Name < more[0].Name {
		all = append(n, more...)
	} else {
		all = merged(n, more)
	}
	for i, t := range all[min(1, len(all)):] {
		if t.Name == all[i].Name {
			return all, t
		}
	}
	return all, nil
}

// merged puts two ascending lists together, those of a first where names are equal.
func merged(a, b names) names {
	out := make(names, 0, len(a)+len(b))
	for _, t := range b {
		i, _ := slices.BinarySearchFunc(a, t.Name, func(t *tensor.Tensor, name string) int {
			if t.Name <= name {
				return -1
			}
			return 1
		})
		out, a = append(append(out, a[:i]...), t), a[i:]
	}
	return append(out, a...)
}
