package read

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/equality"
)

// apart is a model whose stacked experts are tensors of their own, so that equal
// values are found expert by expert.
type apart struct {
	tensor.Model
	tensors []*tensor.Tensor
	whole   map[*tensor.Tensor]*tensor.Tensor // by expert: the tensor that it is a part of
}

// Tensors lists them in stored order, the experts in the place of their stack.
func (m *apart) Tensors() []*tensor.Tensor { return m.tensors }

// piles counts the experts that lie one below the other in a matrix.
func piles(n *roles.Network) map[*tensor.Tensor]int64 {
	count := map[*tensor.Tensor]int64{}
	for _, t := range n.Towers {
		for _, l := range t.Layers {
			for _, e := range l.Experts {
				for _, m := range []*roles.Matrix{e.Gate, e.Up, e.Down} {
					if m != nil && len(m.Tensor.Shape) == 2 {
						count[m.Tensor]++
					}
				}
			}
		}
	}
	return count
}

// takenApart cuts the stacks of a model: tensors whose role says that their first
// dimension counts experts, or the rows of one after those of another. role gets those
// of the parts.
func takenApart(m tensor.Model, n *roles.Network, role map[*tensor.Tensor]string) *apart {
	stacked, piled := map[*tensor.Tensor]string{}, piles(n)
	for _, a := range n.Roles {
		if place, ok := strings.CutSuffix(a.Role, "_experts"); ok && (len(a.Tensor.Shape) == 3 || piled[a.Tensor] > 1 && a.Tensor.Shape[0]%piled[a.Tensor] == 0) {
			stacked[a.Tensor] = place
		}
	}
	out := &apart{Model: m, whole: map[*tensor.Tensor]*tensor.Tensor{}}
	for _, t := range m.Tensors() {
		place, ok := stacked[t]
		if !ok {
			out.tensors = append(out.tensors, t)
			continue
		}
		experts, rows := t.Shape[0], int64(1)
		if n := piled[t]; n > 0 {
			experts, rows = n, t.Shape[0]/n
		}
		for e := range experts {
			x := tensor.Slice(t, fmt.Sprintf("%s[%d]", t.Name, e), e*rows, rows)
			if len(t.Shape) == 3 {
				x.Shape = x.Shape[1:]
			}
			role[x] = strings.Replace(place, "mlp.", fmt.Sprintf("experts.%d.", e), 1)
			out.whole[x] = t
			out.tensors = append(out.tensors, x)
		}
	}
	return out
}

// Original is the tensor behind one that was not taken apart, nil for an expert.
func (m *apart) Original(t *tensor.Tensor) *tensor.Tensor {
	if lasting, ok := m.Model.(equality.Lasting); ok && m.whole[t] == nil {
		return lasting.Original(t)
	}
	return nil
}

// of is the tensor of the model that one is, or is a part of.
func (m *apart) of(t *tensor.Tensor) *tensor.Tensor {
	if whole := m.whole[t]; whole != nil {
		return whole
	}
	return t
}
