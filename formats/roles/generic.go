package roles

import (
	"slices"
	"strconv"
	"strings"

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
	lengths := map[int]bool{}
	for _, v := range vectors {
		lengths[v.Len] = v.Len > 1
	}
	for l := range layers {
		lengths[int(l.rows)] = true // their biases lie otherwise
	}
	n.orient(lengths)
	n.gates = n.gated((*Matrix).extent, lengths)
	n.biases(vectors)
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

// labelled are words in names of tensors whose rows carry an outside meaning:
// tokens, positions, classes. Such rows are never exchangeable.
var labelled = []string{"emb", "token", "vocab", "wte", "wpe", "pos", "class", "head", "logit", "output", "score", "codebook", "relative", "label", "table", "lookup"}

// Exchangeable lists the generic matrices whose rows are hidden units. A row
// axis counts as hidden only if its size is the input size of another matrix
// of the network (somebody reads these units), or so many times that size as a recurrent
// layer has gates, no name says that the rows
// are tokens, positions or classes, the first dimension is no declared
// vocabulary, and the network shows where it begins and ends: a size that is read
// and not made, and one that is made and not read. Where it shows neither, the
// size may be an input's or an output's, whose places have a meaning: the shapes of
// a network from one channel to one are those of one with a bottleneck of one channel
// whose input and output have the size of a hidden layer of the other.
func (n *Network) Exchangeable() (out []Hidden) {
	inputs := map[int][]*Matrix{}
	for _, m := range n.Generic {
		if !m.lies().flat {
			inputs[m.Inputs()] = append(inputs[m.Inputs()], m)
		}
	}
	vocab := map[int]bool{}
	for _, t := range n.Towers {
		for _, m := range []*Matrix{t.Embedding, t.Head, t.Positions} {
			if m != nil {
				vocab[m.Rows] = true
			}
		}
	}
	inside, ends := n.inside(), len(n.Towers) > 0 || n.showsEnds()
	for _, m := range n.Generic {
		if m.lies().flat || !ends && !(n.gates[m.Rows] > 0 && inside[n.made(m)]) {
			continue
		}
		read := n.gates[m.Rows] > 0 || slices.ContainsFunc(inputs[n.made(m)], func(r *Matrix) bool { return r.Tensor != m.Tensor })
		if read && !vocab[m.Rows] && !hasLabel(m.Tensor.Name) {
			out = append(out, Hidden{m, max(1, n.gates[m.Rows])})
		}
	}
	return out
}

// showsEnds tells whether some size can only be that of an input and another only
// that of an output. Rows that nobody reads may be those of a lookup table, which
// is an input, where they are more than the columns.
func (n *Network) showsEnds() bool {
	made, read := map[int]bool{}, map[int]bool{}
	for _, m := range n.Generic {
		made[n.made(m)], read[m.Inputs()] = m.Rows > 1, true
	}
	begins, ends := false, false
	for _, m := range n.Generic {
		begins = begins || !made[m.Inputs()] || !read[n.made(m)] && m.Rows > m.Inputs()
		ends = ends || !read[n.made(m)]
	}
	return begins && ends
}

func hasLabel(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(labelled, func(w string) bool { return strings.Contains(name, w) })
}
