package roles

// Libraries do not agree on how a matrix lies (kernel.go), and the names of a network of
// unknown architecture do not tell which wrote it. Shapes do, where it has kernels: its
// biases and norms are as long as there are channels, and no window is as wide as channels
// are many. They do where it has recurrent layers, too, which make gates times as many
// rows as they read units. Under any names, and in any order of tensors, that is the same.

// libraries are the orders in which a library lays all its kernels.
var libraries = []kernelOrder{outputsInputsWindow, windowInputsOutputs, outputsWindowInputs}

// orient views the matrices of a network of unknown architecture as the library lays them
// that shapes show. Vectors are of the given lengths.
func (n *Network) orient(lengths map[int]bool) {
	if len(n.Towers) > 0 {
		return
	}
	order := n.order(lengths)
	transposed := order == windowInputsOutputs || len(n.gated((*Matrix).extent, lengths)) == 0 && len(n.gated((*Matrix).turnedExtent, lengths)) > 0
	for i, m := range n.Generic {
		v := m
		switch {
		case len(m.Tensor.Shape) > 2:
			v = m.in(order)
		case transposed:
			v = m.Turned()
		}
		if v != nil && v != m {
			v.layout.supposed = true
			n.Generic[i] = v
		}
	}
}

// order is the one in which more kernels have channels where vectors are as long than in
// any other, and more than half of all; else the order as stored.
func (n *Network) order(lengths map[int]bool) kernelOrder {
	kernels, best, ties := 0, outputsInputsWindow, 0
	fit := map[kernelOrder]int{}
	for _, m := range n.Generic {
		if len(m.Dims()) < 3 || m.lies().flat {
			continue
		}
		kernels++
		for _, o := range libraries {
			v := m.in(o)
			fit[o] += count(lengths[v.Rows]) + count(lengths[v.Inputs()])
		}
	}
	for _, o := range libraries {
		switch {
		case fit[o] > fit[best]:
			best, ties = o, 0
		case fit[o] == fit[best] && o != best:
			ties++
		}
	}
	if ties > 0 || fit[best] <= kernels {
		return outputsInputsWindow
	}
	return best
}

// in views a kernel that may lie in an order so; as stored where it cannot.
func (m *Matrix) in(o kernelOrder) *Matrix {
	if o == outputsInputsWindow {
		return m
	}
	if v := m.lying(o); v != nil {
		return v
	}
	return m
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
