package relabel

import (
	"cmp"

	"github.com/weightprint/weightprint/formats/roles"
)

// view is how a matrix is seen: rows that read inputs, each through a window of values.
// Most frameworks store it so; Keras stores windows first, then inputs, then rows.
type view struct {
	rows, inputs, window int
	last                 bool // stored with windows first and rows last
}

func (v view) cols() int { return v.inputs * v.window }

// shape is that of the tensor that is seen.
func (v view) shape() []int64 {
	if v.window == 1 {
		return []int64{int64(v.rows), int64(v.inputs)}
	}
	return []int64{int64(v.rows), int64(v.inputs), int64(v.window)}
}

// viewOf sees a matrix with its rows first.
func viewOf(m *roles.Matrix) view {
	shape := m.Dims()
	if len(shape) > 2 && shape[1] > 0 && m.Cols > 0 && m.Cols%int(shape[1]) == 0 {
		return view{rows: m.Rows, inputs: int(shape[1]), window: m.Cols / int(shape[1])}
	}
	return view{rows: m.Rows, inputs: m.Cols, window: 1}
}

// lastOf sees it with its rows last; not at all where it is a part of a tensor.
func lastOf(m *roles.Matrix) (v view, ok bool) {
	shape := m.Dims()
	n := len(shape)
	if n < 2 || m.Transposed() || int64(m.Rows)*int64(m.Cols) != m.Tensor.Len() || int64(m.Rows) != shape[0] {
		return v, false
	}
	v = view{rows: int(shape[n-1]), inputs: int(shape[n-2]), last: true}
	if v.cols() == 0 && v.rows*v.inputs == 0 {
		return v, false
	}
	v.window = m.Rows * m.Cols / (v.rows * v.inputs)
	return v, true
}

// viewsOf sees all matrices with their rows first or all with their rows last: as more
// values stand in matrices that give as many rows as another one takes inputs. Where neither is more, stored order
// decides.
func viewsOf(all []*roles.Matrix) []view {
	first, last := make([]view, len(all)), make([]view, len(all))
	for k, m := range all {
		first[k], last[k] = viewOf(m), viewOf(m)
		if v, ok := lastOf(m); ok {
			last[k] = v
		}
	}
	if c := cmp.Or(cmp.Compare(fitting(last), fitting(first)), cmp.Compare(chained(last), chained(first))); c > 0 {
		return last
	}
	return first
}

// fitting counts the values of matrices that give as many rows as another one takes inputs.
func fitting(all []view) (n int) {
	for k, v := range all {
		for l, w := range all {
			if k != l && v.rows == w.inputs {
				n += v.rows * v.cols()
				break
			}
		}
	}
	return n
}

// chained counts matrices that give as many rows as the next one takes inputs.
func chained(all []view) (n int) {
	for k := range all[1:] {
		if all[k].rows == all[k+1].inputs {
			n++
		}
	}
	return n
}

// of is the values of a matrix, row by row and input by input.
func (v view) of(stored []float32) []float32 {
	if !v.last {
		return stored
	}
	out := make([]float32, len(stored))
	for at, x := range stored {
		row, input, w := at%v.rows, at/v.rows%v.inputs, at/v.rows/v.inputs
		out[row*v.cols()+input*v.window+w] = x
	}
	return out
}
