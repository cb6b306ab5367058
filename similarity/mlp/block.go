// Package mlp holds the hidden units of feed-forward layers whole, as rows in
// the coordinates of the residual stream, for tests that need every unit of a
// layer at once.
package mlp

// View is how the units of a block lie in one of its matrices.
type View struct {
	Rows        []float32 // units × hidden, row-major
	Equivariant bool      // changes sign with the unit
}

// Block holds the hidden units of one layer as two groups of views, which say
// the same about origin and nothing about each other's noise.
type Block struct {
	Units, Hidden int
	First, Second []View

	// Turned: units with opposite gates were found, so that the sign of a gate is
	// arbitrary (see Rejoined).
	Turned bool
	// Compass is a direction of the residual stream that follows from what the layer
	// computes alone, whatever units compute it; nil where the block was not rejoined.
	Compass []float32
}

// Gated makes a block of a gated MLP: the gate rows against the up rows and
// the columns of the down matrix as rows, all units × hidden.
func Gated(gate, up, down []float32, units, hidden int) Block {
	return Block{Units: units, Hidden: hidden, First: []View{{gate, false}}, Second: []View{{up, true}, {down, true}}}
}

// Ungated makes a block of an MLP without a gate: up rows against columns of
// the down matrix as rows.
func Ungated(up, down []float32, units, hidden int) Block {
	return Block{Units: units, Hidden: hidden, First: []View{{up, false}}, Second: []View{{down, false}}}
}

// Views are those of both groups in order.
func (b *Block) Views() []View { return append(b.First[:len(b.First):len(b.First)], b.Second...) }

// gated tells whether the block has a gate.
func (b *Block) gated() bool { return len(b.Second) == 2 }

func (b *Block) row(v *View, u int) []float32 { return v.Rows[u*b.Hidden : (u+1)*b.Hidden] }
