package delta

import "github.com/weightprint/weightprint/formats/tensor"

// Storage says how far two tensors in one role hold the same values.
type Storage string

// The outcomes, from most to least alike. The direction is that of the
// conversion: "forth" means B was made from A's values.
const (
	Equal     Storage = "equal"     // every value read is the same
	Cast      Storage = "cast"      // one is the other rounded to its type
	Quantised Storage = "quantised" // one is the other within half a step on its own lattice
	Different Storage = "different"
)

// withinShare is the share of values that must lie within half a step of the
// lattice. Types whose largest code is clipped leave a few values further
// away; a fine-tune of one hundredth of the weights' size already moves more
// than this off a 4-bit lattice.
const withinShare = 0.99

// Storage judges a change. forth tells whether B follows from A (as opposed
// to A from B); it means nothing for Equal and Different.
func (c *Change) Storage() (s Storage, forth bool) {
	st := &c.Stats
	switch {
	case st.Equal == st.N:
		return Equal, false
	case st.Round[0] == st.N:
		return Cast, true
	case st.Round[1] == st.N:
		return Cast, false
	}
	for side, forth := range []bool{true, false} {
		if st.Lattice[side] == st.N && st.N > 0 && float64(st.Within[side]) >= withinShare*float64(st.N) && st.Cosine() > 0.9 {
			return Quantised, forth
		}
	}
	return Different, false
}

// Exact tells whether every row of the quantised side is byte for byte what
// the reference rule of its type gives from the other side.
func (c *Change) Exact(forth bool) bool {
	side := 1
	if forth {
		side = 0
	}
	return c.Complete && c.Encodable[side] > 0 && c.Reencoded[side] == c.Encodable[side]
}

// Type is the stored type of the side that was made from the other.
func (c *Change) Type(forth bool) tensor.DType {
	if forth {
		return c.B
	}
	return c.A
}
