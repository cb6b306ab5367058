package read

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
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

// takenApart cuts the stacks of a model: tensors whose role says that their first
// dimension counts experts. role gets those of the parts.
func takenApart(m tensor.Model, n *roles.Network, role map[*tensor.Tensor]string) *apart {
	stacked := map[*tensor.Tensor]string{}
	for _, a := range n.Roles {
		if place, ok := strings.CutSuffix(a.Role, "_experts"); ok && len(a.Tensor.Shape) == 3 {
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
		for e := range t.Shape[0] {
			x := tensor.Slice(t, fmt.Sprintf("%s[%d]", t.Name, e), e, 1)
			x.Shape = x.Shape[1:]
			role[x] = strings.Replace(place, "mlp.", fmt.Sprintf("experts.%d.", e), 1)
			out.whole[x] = t
			out.tensors = append(out.tensors, x)
		}
	}
	return out
}

// of is the tensor of the model that one is, or is a part of.
func (m *apart) of(t *tensor.Tensor) *tensor.Tensor {
	if whole := m.whole[t]; whole != nil {
		return whole
	}
	return t
}
