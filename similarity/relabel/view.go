package relabel

import (
	"github.com/weightprint/weightprint/formats/roles"
)

// view is how a matrix is seen: rows that read inputs, each through a window of values.
type view struct{ rows, inputs, window int }

func (v view) cols() int { return v.inputs * v.window }

// shape is that of the tensor that is seen.
func (v view) shape() []int64 {
	if v.window == 1 {
		return []int64{int64(v.rows), int64(v.inputs)}
	}
	return []int64{int64(v.rows), int64(v.inputs), int64(v.window)}
}

// layout is how a library stores what is seen: PyTorch and ONNX rows, inputs, windows;
// Keras, TensorFlow and Flax windows, inputs, rows; TensorFlow Lite rows, windows, inputs.
type layout int

const (
	rowsFirst layout = iota
	rowsLast
	inputsLast
	layouts
)

// lies sees a matrix that is stored so; where it is a part of a tensor, or is seen
// another way already, as it is.
func (lay layout) lies(m *roles.Matrix) stored {
	shape, inputs := m.Tensor.Shape, m.Inputs()
	n := len(shape)
	whole := n > 1 && !m.Transposed() && int64(m.Rows) == shape[0] && int64(m.Rows)*int64(m.Cols) == m.Tensor.Len() && len(m.Dims()) == n
	switch {
	case whole && lay == rowsLast && shape[n-1]*shape[n-2] > 0:
		rows, in := int(shape[n-1]), int(shape[n-2])
		return stored{view{rows, in, m.Rows * m.Cols / (rows * in)}, lay}
	case whole && lay == inputsLast && n > 2 && shape[n-1] > 0:
		in := int(shape[n-1])
		return stored{view{m.Rows, in, m.Cols / in}, lay}
	case inputs < 1 || m.Cols%inputs != 0:
		inputs = m.Cols
	}
	return stored{view{m.Rows, inputs, m.Cols / max(1, inputs)}, rowsFirst}
}

// stored is a view of what lies in some layout.
type stored struct {
	view
	layout
}

// viewsOf sees all matrices of a side in one layout.
func viewsOf(all []*roles.Matrix, lay layout) []stored {
	out := make([]stored, len(all))
	for k, m := range all {
		out[k] = lay.lies(m)
	}
	return out
}

// of is the values of a matrix, row by row and input by input.
func (s stored) of(values []float32) []float32 {
	if s.layout == rowsFirst {
		return values
	}
	out := make([]float32, len(values))
	for at, x := range values {
		row, input, w := at%s.rows, at/s.rows%s.inputs, at/s.rows/s.inputs
		if s.layout == inputsLast {
			row, input, w = at/s.cols(), at%s.inputs, at%s.cols()/s.inputs
		}
		out[row*s.cols()+input*s.window+w] = x
	}
	return out
}
