package roles

import "slices"

// A convolution's kernel lies outputs × inputs × window with PyTorch and ONNX, window ×
// inputs × outputs with TensorFlow, Keras and Flax, outputs × window × inputs with
// TensorFlow Lite. Names do not tell which, and shapes do only where sizes differ, so
// that kernels of unknown role are viewed each way and the values decide.

// Dims is the shape of what the matrix views as outputs × inputs × window: the tensor's own
// unless the view has another order.
func (m *Matrix) Dims() []int64 {
	if d := m.lies().dims; d != nil {
		return d
	}
	return m.Tensor.Shape
}

// Inputs is the number of units the matrix reads: the second dimension, so that a
// convolution counts its channels without its window.
func (m *Matrix) Inputs() int {
	if d := m.Dims(); len(d) > 2 {
		return int(d[1])
	}
	return m.Cols
}

// kernelOrder is how a kernel lies.
type kernelOrder uint8

const (
	outputsInputsWindow kernelOrder = iota
	windowInputsOutputs
	outputsWindowInputs
	oneWindowChannels // each channel is an output of its own
	windowChannelsOne
)

// Kernels views a kernel of unknown role that lies in another order as outputs × inputs ×
// window. It is empty for what is no kernel stored in one piece. Reading rows of some of
// the views costs reading the whole.
func (m *Matrix) Kernels() (out []*Matrix) {
	if m.lies().supposed && len(m.Tensor.Shape) > 2 && m.Bias == nil {
		out = append(out, newMatrix(m.Role, m.Tensor))
	}
	for o := windowInputsOutputs; o <= windowChannelsOne; o++ {
		if v := m.lying(o); v != nil && o != m.lies().kernel {
			out = append(out, v)
		}
	}
	return out
}

// Better tells whether viewing two kernels so can pair rows that do not pair as stored:
// not where both have their outputs first as stored and lie alike.
func (m *Matrix) Better(o *Matrix) bool {
	k := m.lies().kernel
	return k != o.lies().kernel || k != outputsInputsWindow && k != outputsWindowInputs
}

// KernelLike views a kernel that lies as the one that another view shows, nil where this
// is none.
func (m *Matrix) KernelLike(v *Matrix) *Matrix {
	k := v.lies().kernel
	if k != windowInputsOutputs && k != outputsWindowInputs {
		return nil
	}
	return m.lying(k)
}

// lying views the tensor as outputs × inputs × window, if it can lie in an order.
func (m *Matrix) lying(o kernelOrder) *Matrix {
	s := m.Tensor.Shape
	r := len(s)
	if r < 3 || r > 5 || !m.lies().inOnePiece() || (m.lies().transposed || m.lies().dims != nil) && !m.lies().supposed || m.Tensor.Len() == 0 {
		return nil
	}
	if m.Bias != nil && o != outputsWindowInputs {
		return nil // a bias is as long as the rows that it was found beside
	}
	var dims []int64
	switch {
	case o == windowInputsOutputs:
		dims = append([]int64{s[r-1], s[r-2]}, s[:r-2]...)
	case o == outputsWindowInputs:
		dims = append([]int64{s[0], s[r-1]}, s[1:r-1]...)
	case o == oneWindowChannels && r > 3 && s[0] == 1:
		dims = append([]int64{s[r-1], 1}, s[1:r-1]...)
	case o == windowChannelsOne && r > 3 && s[r-1] == 1:
		dims = append([]int64{s[r-2], 1}, s[:r-2]...)
	default:
		return nil
	}
	rows, cols := dims[0], m.Tensor.Len()/dims[0]
	l := &layout{dims: dims, kernel: o, inputs: int(dims[1]), stride: cols}
	if o != outputsWindowInputs {
		l.stride, l.transposed = rows, true
	}
	k := *m
	k.layout, k.Rows, k.Cols = l, int(rows), int(cols)
	return &k
}

// inputsFirst puts rows of window × inputs into the order inputs × window.
func (m *Matrix) inputsFirst(dst []float32) {
	inputs := m.lies().inputs
	window := m.Cols / inputs
	if inputs == 1 || window == 1 {
		return
	}
	for at := 0; at < len(dst); at += m.Cols {
		row := dst[at : at+m.Cols]
		stored := slices.Clone(row)
		for w := range window {
			for i := range inputs {
				row[i*window+w] = stored[w*inputs+i]
			}
		}
	}
}
