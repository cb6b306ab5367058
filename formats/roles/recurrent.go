package roles

import (
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// gates are the numbers of gates that recurrent layers have: a GRU's and an LSTM's.
var gates = []int{3, 4}

func (m *Matrix) extent() (rows, inputs int) { return m.Rows, m.Inputs() }

// turnedExtent is that of a matrix that lies inputs × outputs.
func (m *Matrix) turnedExtent() (rows, inputs int) {
	if len(m.Dims()) > 2 {
		return m.extent()
	}
	return m.Cols, m.Rows
}

// gated gives the number of gates by the rows of the matrices that have them. Recurrent
// layers show by their shapes: several matrices of g·h rows, one of which at least reads
// the h units that it makes, a bias as long, and nobody who reads g·h. Several, and a bias,
// for a table of so many tokens or classes may have so many rows as well.
func (n *Network) gated(extent func(*Matrix) (rows, inputs int), lengths map[int]bool) map[int]int {
	read, makes, again := map[int]bool{}, map[int]int{}, map[[2]int]bool{}
	for _, m := range n.Generic {
		if m.lies().flat || hasLabel(m.Tensor.Name) {
			continue
		}
		rows, inputs := extent(m)
		if rows == 1 { // a bias that lies as a matrix of one row
			continue
		}
		read[inputs] = true
		if len(m.Dims()) == 2 {
			makes[rows]++
			again[[2]int{rows, inputs}] = true
		}
	}
	out := map[int]int{}
	for rows, count := range makes {
		fit := slices.DeleteFunc(slices.Clone(gates), func(g int) bool { return rows%g != 0 || !again[[2]int{rows, rows / g}] })
		if count > 1 && lengths[rows] && !read[rows] && len(fit) == 1 {
			out[rows] = fit[0]
		}
	}
	return out
}

// made is how many units the matrix makes.
func (n *Network) made(m *Matrix) int { return m.Rows / max(1, n.gates[m.Rows]) }

// mostDirections is in how many directions a recurrent layer reads at most.
const mostDirections = 2

// layerOf is what tensors of one recurrent layer of ONNX have in common.
type layerOf struct{ directions, rows int64 }

// recurrentLayers lists the recurrent layers that lie as ONNX stores them: in a tensor of
// directions × (gates·units) × units.
func recurrentLayers(rest []*tensor.Tensor) map[layerOf]bool {
	out := map[layerOf]bool{}
	for _, t := range rest {
		if s := t.Shape; len(s) == 3 && s[0] <= mostDirections && s[2] > 0 && slices.ContainsFunc(gates, func(g int) bool { return s[1] == int64(g)*s[2] }) {
			out[layerOf{s[0], s[1]}] = true
		}
	}
	return out
}

// directions views a tensor of such a layer, directions × (gates·units) × inputs, as one
// matrix for each direction.
func directions(role string, t *tensor.Tensor, layers map[layerOf]bool) (out []*Matrix) {
	s := t.Shape
	if len(s) != 3 || !layers[layerOf{s[0], s[1]}] || s[1] > mostInputs || s[2] > mostInputs || t.DType.Kind() == tensor.KindInteger || t.DType == tensor.Opaque {
		return nil
	}
	all := &Matrix{Role: role, Tensor: t, Rows: int(s[0] * s[1]), Cols: int(s[2]), layout: &layout{stride: s[2], dims: s[1:]}}
	for d := range int(s[0]) {
		out = append(out, all.slice(role, d*int(s[1]), int(s[1])))
	}
	return out
}
