// Package mlp holds the hidden units of feed-forward layers whole, as rows in
// the coordinates of the residual stream, for tests that need every unit of a
// layer at once.
package mlp

// View is how the units of a block lie in one of its matrices.
type View struct {
	Rows []float32 // units × hidden, row-major
	Odd  bool      // changes sign with the unit
}

// Block holds the hidden units of one layer as two groups of views, which say
// the same about origin and nothing about each other's noise.
type Block struct {
	Units, Hidden int
	First, Second []View
}

// Gated makes a block of a gated MLP: the gate rows against the up rows and
// the columns of the down matrix as rows, all units × hidden.
func Gated(gate, up, down []float32, units, hidden int) Block {
	return Block{units, hidden, []View{{gate, false}}, []View{{up, true}, {down, true}}}
}

// Ungated makes a block of an MLP without a gate: up rows against columns of
// the down matrix as rows.
func Ungated(up, down []float32, units, hidden int) Block {
	return Block{units, hidden, []View{{up, false}}, []View{{down, false}}}
}

// Views are those of both groups in order.
func (b *Block) Views() []View { return append(b.First[:len(b.First):len(b.First)], b.Second...) }
