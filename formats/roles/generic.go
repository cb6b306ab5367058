package roles

import (
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// generic gives the tensors without a known name a role from their place in
// the file: "generic.7". Biases join the matrix whose name they share.
func generic(n *Network, rest []*tensor.Tensor) {
	defer func() { n.Vectors = slices.Clone(n.Vectors) }() // of mixtures there are 70,000: no more room than they need
	var vectors []*Vector
	layers := recurrentLayers(rest)
	for i, t := range rest {
		if both := directions("generic."+strconv.Itoa(i), t, layers); both != nil {
			n.Roles, n.Generic = append(n.Roles, Assignment{t, both[0].Role}), append(n.Generic, both...)
			continue
		}
		if _, cols := firstDim(t); oversized(t) || cols > mostInputs && len(t.Shape) > 1 {
			n.setAside(t, i)
			continue
		}
		role := "generic." + strconv.Itoa(i)
		if t.DType.Kind() == tensor.KindInteger || t.DType == tensor.Opaque || len(t.Shape) == 0 {
			n.Roles = append(n.Roles, Assignment{t, "none"})
			continue
		}
		n.Roles = append(n.Roles, Assignment{t, role})
		if len(t.Shape) == 1 {
			vectors = append(vectors, newVector(role, t))
			continue
		}
		n.Generic = append(n.Generic, newMatrix(role, t))
	}
	lengths := lengthsOf(rest)
	for l := range layers {
		lengths[int(l.rows)] = true // their biases lie otherwise
	}
	n.orient(lengths)
	n.gates = n.gated((*Matrix).extent, lengths)
	n.biases(vectors)
}

// lengthsOf lists how long the vectors are: tensors of one axis, beside others of length 1.
func lengthsOf(rest []*tensor.Tensor) map[int]bool {
	lengths := map[int]bool{}
	for _, t := range rest {
		if n := t.Len(); n > 1 && len(t.Shape) > 0 && n == slices.Max(t.Shape) && n <= mostUnits {
			lengths[int(n)] = true
		}
	}
	return lengths
}

// biases joins vectors to the matrices whose names they share.
func (n *Network) biases(vectors []*Vector) {
	byStem := map[string]*Matrix{}
	for _, m := range n.Generic {
		if !m.lies().flat {
			stem, _ := split(m.Tensor.Name)
			byStem[stem] = m
		}
	}
	for _, v := range vectors {
		stem, _ := split(v.Tensor.Name)
		m := byStem[stem]
		if m == nil || m.Bias != nil || v.Len != m.Rows && (v.Len != m.Cols || len(m.Tensor.Shape) != 2) {
			n.Vectors = append(n.Vectors, v)
			continue
		}
		if v.Len != m.Rows {
			*m = *m.transpose() // a bias is as long as the outputs
		}
		m.Bias = v
	}
}
