package roles

import (
	"slices"
	"strings"
)

// Hidden is a matrix of unknown role whose rows are hidden units: one each, or one of every
// unit in each of several blocks of rows, as the gates of a recurrent layer lie.
type Hidden struct {
	*Matrix
	Blocks int
}

// Units is how many hidden units the matrix has.
func (h Hidden) Units() int { return h.Rows / h.Blocks }

// RowsOf lists the rows of units: all of the first unit, then those of the next.
func (h Hidden) RowsOf(units []int) []int {
	out := make([]int, 0, len(units)*h.Blocks)
	for _, u := range units {
		for k := range h.Blocks {
			out = append(out, k*h.Units()+u)
		}
	}
	return out
}

// labelled are words in names of tensors whose rows carry an outside meaning:
// tokens, positions, classes. Such rows are never exchangeable.
var labelled = []string{"emb", "token", "vocab", "wte", "wpe", "pos", "class", "head", "logit", "output", "score", "codebook", "relative", "label", "table", "lookup"}

// Exchangeable lists the generic matrices whose rows are hidden units. A row
// axis counts as hidden only if its size is the input size of another matrix
// of the network (somebody reads these units), or so many times that size as a recurrent
// layer has gates; no name says that the rows are tokens, positions or classes; the first
// dimension is no declared vocabulary; and the network shows where it begins and ends: a
// size that is read and not made, and one that is made and not read. Where it shows neither,
// any size may be an input's or an output's, whose places have a meaning: the shapes of
// a network from one channel to one are those of one with a bottleneck of one channel
// whose input and output have the size of a hidden layer of the other. Rows and columns of
// a matrix may both be places of data then, and two networks that learn one task come to
// the same matrix.
func (n *Network) Exchangeable() (out []Hidden) {
	if len(n.Towers) == 0 && !n.showsEnds() {
		return nil
	}
	readers := map[int][]*Matrix{}
	for _, m := range n.Generic {
		if !m.lies().flat {
			readers[m.Inputs()] = append(readers[m.Inputs()], m)
		}
	}
	tables := n.tables()
	for _, m := range n.Generic {
		units, gates := n.made(m), n.gates[m.Rows]
		if m.lies().flat || tables[m.Rows] || hasLabel(m.Tensor.Name) {
			continue
		}
		if gates > 0 || slices.ContainsFunc(readers[units], func(r *Matrix) bool { return r.Tensor != m.Tensor }) {
			out = append(out, Hidden{m, max(1, gates)})
		}
	}
	return out
}

// tables lists the rows of embeddings, heads and positions.
func (n *Network) tables() map[int]bool {
	rows := map[int]bool{}
	for _, t := range n.Towers {
		for _, m := range []*Matrix{t.Embedding, t.Head, t.Positions} {
			if m != nil {
				rows[m.Rows] = true
			}
		}
	}
	return rows
}

// showsEnds tells whether some size can only be that of an input and another only
// that of an output. Rows that nobody reads may be those of a lookup table, which
// is an input, where they are more than the columns.
func (n *Network) showsEnds() bool {
	made, read := map[int]bool{}, map[int]bool{}
	units := slices.DeleteFunc(slices.Clone(n.Generic), (*Matrix).Flat)
	for _, m := range units {
		made[n.made(m)], read[m.Inputs()] = m.Rows > 1, true
	}
	begins, ends := false, false
	for _, m := range units {
		begins = begins || !made[m.Inputs()] || !read[n.made(m)] && m.Rows > m.Inputs()
		ends = ends || !read[n.made(m)]
	}
	return begins && ends
}

func hasLabel(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(labelled, func(w string) bool { return strings.Contains(name, w) })
}
