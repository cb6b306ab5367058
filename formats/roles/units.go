package roles

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// What is taken for units at most. The largest published networks have a hidden
// size of 16,384, layers of 53,248 units and vocabularies of a million tokens; a
// tensor beyond is a table, or all parameters in one, and is compared value by
// value only: a few rows of it would take all memory there is.
const (
	mostInputs = 1 << 17 // values of a row
	mostUnits  = 1 << 22 // rows, and elements of a vector
)

// oversized tells tensors that are too large in one direction to hold units.
func oversized(t *tensor.Tensor) bool {
	switch len(t.Shape) {
	case 0:
		return false
	case 1:
		return t.Len() > mostUnits
	}
	rows, cols := firstDim(t)
	long, short := max(rows, cols), min(rows, cols)
	return long > mostUnits || short > mostInputs || cols > mostInputs && rows < 2
}

// flatCols is the length of the rows into which oversized tensors are cut: whole
// blocks of every type.
const flatCols = 1 << 16

// setAside gives an oversized tensor no place in a tower: it is viewed as one run
// of values, cut into rows of equal length and one for the rest.
func (n *Network) setAside(t *tensor.Tensor, i int) {
	role := fmt.Sprintf("generic.flat.%d", i)
	n.Roles = append(n.Roles, Assignment{t, role})
	if t.DType.Kind() == tensor.KindInteger || t.DType == tensor.Opaque {
		return
	}
	n.Warnings = append(n.Warnings, fmt.Sprintf("tensor %s has %d × %d values, which are no units of a network: it is compared value by value only", escape.Printable(t.Name), t.Rows(), t.Cols()))
	values := t.Len()
	whole, rest := values/flatCols, int(values%flatCols)
	if whole > 0 {
		n.Generic = append(n.Generic, &Matrix{Role: role, Tensor: t, Rows: int(whole), Cols: flatCols, layout: &layout{stride: flatCols, flat: true}})
	}
	if rest > 0 {
		n.Generic = append(n.Generic, &Matrix{Role: role + ".rest", Tensor: t, Rows: 1, Cols: rest, layout: &layout{stride: int64(rest), base: whole * flatCols, flat: true}})
	}
}
