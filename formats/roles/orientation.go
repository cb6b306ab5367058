package roles

// Libraries do not agree on how a matrix lies (kernel.go), and the names of a network of
// unknown architecture do not tell which wrote it. Shapes do: what one matrix makes another
// reads, biases and norms are as long as there are channels, no window need be as wide, and
// recurrent layers make gates times as many rows as they read units. Under any names, and
// in any order of tensors, that is the same.

// libraries are the orders in which a library lays all its kernels.
var libraries = []kernelOrder{outputsInputsWindow, windowInputsOutputs, outputsWindowInputs}

// orient views the matrices of a network of unknown architecture as the library lays them
// that shapes show. Vectors are of the given lengths.
func (n *Network) orient(lengths map[int]bool) {
	if len(n.Towers) > 0 {
		return
	}
	order := n.order(lengths)
	for i, m := range n.Generic {
		n.Generic[i] = m.in(order)
	}
	if !n.turned(order, lengths) {
		return
	}
	for i, m := range n.Generic {
		if v := m.other(); v != nil {
			n.Generic[i] = v
		}
	}
}

// order is the one in which kernels fit together, and the vectors, better than in any
// other, and in more than half of all that could fit; else the order as stored.
func (n *Network) order(lengths map[int]bool) kernelOrder {
	fit, kernels := map[kernelOrder]int{}, 0
	for _, o := range libraries {
		var all links
		for _, m := range n.Generic {
			if len(m.Dims()) > 2 && !m.lies().flat {
				v := m.in(o)
				all = append(all, link{v.Rows, v.Inputs()})
				fit[o] += count(lengths[v.Rows]) + count(lengths[v.Inputs()])
			}
		}
		fit[o] += all.count(func(size int) bool { return lengths[size] })
		kernels = len(all)
	}
	best, ties := outputsInputsWindow, 0
	for _, o := range libraries {
		switch {
		case fit[o] > fit[best]:
			best, ties = o, 0
		case fit[o] == fit[best] && o != best:
			ties++
		}
	}
	if ties > 0 || fit[best] <= 2*kernels {
		return outputsInputsWindow
	}
	return best
}

// turned tells whether matrices of two dimensions lie inputs × outputs: they fit better
// then, or as well and the kernels show it. Tables that are looked up
// lie one way everywhere, and say nothing.
func (n *Network) turned(order kernelOrder, lengths map[int]bool) bool {
	sizes := map[int]int{}
	for _, m := range n.Generic {
		sizes[m.Rows]++
		sizes[m.Inputs()]++
	}
	asStored, asTurned := n.gated((*Matrix).extent, lengths), n.gated((*Matrix).turnedExtent, lengths)
	var stored, turned links
	for _, m := range n.Generic {
		if m.lies().flat || m.Rows > m.Inputs() && sizes[m.Rows] == 1 {
			continue
		}
		x := link{m.Rows / max(1, asStored[m.Rows]), m.Inputs()}
		stored = append(stored, x)
		if m.other() != nil {
			x = link{m.Cols / max(1, asTurned[m.Cols]), m.Rows}
		}
		turned = append(turned, x)
	}
	any := func(int) bool { return true }
	if s, t := stored.count(any), turned.count(any); s != t {
		return t > s
	}
	return order == windowInputsOutputs
}

// in views a kernel that may lie in an order so; anything else as it is.
func (m *Matrix) in(o kernelOrder) *Matrix {
	if o != outputsInputsWindow {
		if v := m.lying(o); v != nil {
			v.layout.supposed = true
			return v
		}
	}
	return m
}

// other views a whole matrix of two dimensions the other way round; nil for others.
func (m *Matrix) other() *Matrix {
	v := m.Turned()
	if v != nil {
		v.layout.supposed = true
	}
	return v
}

// link is how many units a matrix makes, and how many it reads.
type link struct{ made, read int }

type links []link

// count is how many matrices make what another reads, and how many read what another
// makes, of units of sizes that count.
func (l links) count(counts func(size int) bool) (sum int) {
	made, read := map[int]int{}, map[int]int{}
	for _, x := range l {
		made[x.made]++
		read[x.read]++
	}
	for _, x := range l {
		self := count(x.made == x.read)
		sum += count(counts(x.made) && read[x.made] > self) + count(counts(x.read) && made[x.read] > self)
	}
	return sum
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
