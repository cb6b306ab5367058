package roles

// layout is how a view lies in its tensor. Most views are of whole tensors, row by row, and
// need none: a mixture has 140,000 of them.
type layout struct {
	start      int64   // first stored row of the view
	runLen     int64   // rows that lie together, 0 = all
	runStride  int64   // stored rows from one run to the next
	stride     int64   // values in a stored row
	base       int64   // values before stored row 0 (stacked experts)
	transposed bool    // the stored rows are this view's columns
	flat       bool    // a run of values cut into rows, no units
	order      []int   // row r of the view is row order[r] of the layout; nil = same
	dims       []int64 // shape of the view, where it is not the tensor's
	kernel     kernelOrder
	inputs     int  // channels of a row that is stored window × inputs; 0 for others
	supposed   bool // the vectors of the network suggest the view; values may settle another
	block      int  // rows of a block when blocks are stored one after another, each transposed; 0 = one block
}

// plain is the layout of views that have none, but for the stride: see Matrix.stride.
var plain layout

// stored returns the stored row of view row r.
func (l *layout) stored(r int) int64 {
	p := int64(r)
	if l.order != nil {
		p = int64(l.order[r])
	}
	if l.runLen > 0 {
		return l.start + p/l.runLen*l.runStride + p%l.runLen
	}
	return l.start + p
}

// together tells whether all rows lie one after the other.
func (l *layout) together() bool { return l.order == nil && l.runLen == 0 }

// inOnePiece tells whether the view is of the whole tensor as it lies, transposed at most.
func (l *layout) inOnePiece() bool {
	return !l.flat && l.block == 0 && l.together() && l.start == 0 && l.base == 0
}

// lies is the matrix's layout, for reading only.
func (m *Matrix) lies() *layout {
	if m.layout == nil {
		return &plain
	}
	return m.layout
}

// stride is how many values a stored row has.
func (m *Matrix) stride() int64 {
	if m.layout == nil {
		return int64(m.Cols)
	}
	return m.layout.stride
}

// viewed is the matrix with a layout of its own, changed.
func (m *Matrix) viewed(change func(*layout)) *Matrix {
	c, l := *m, *m.lies()
	l.stride = m.stride()
	change(&l)
	c.layout = &l
	return &c
}

// lies is the vector's layout, for reading only.
func (v *Vector) lies() *layout {
	if v.layout == nil {
		return &plain
	}
	return v.layout
}
