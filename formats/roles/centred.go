package roles

// Centre notes that every norm of the residual stream takes the mean away, and marks the
// matrices that read from it and write to it.
func (t *Tower) Centre() {
	t.Centred = true
	reads := func(ms ...*Matrix) {
		for _, m := range ms {
			if m != nil && m.Cols == t.Hidden {
				m.ReadsCentred = true
			}
		}
	}
	writes := func(ms ...*Matrix) {
		for _, m := range ms {
			if m != nil && m.Rows == t.Hidden {
				m.WritesCentred = true
			}
		}
	}
	for _, l := range t.Layers {
		reads(l.Q, l.K, l.V, l.Other("attn.q_a"), l.Other("attn.kv_a"), l.Other("attn.k_rope"), l.Router)
		writes(l.O)
		for _, e := range l.MLPs() {
			reads(e.Gate, e.Up)
			writes(e.Down)
		}
	}
	reads(t.Head, t.Embedding) // the rows of an embedding are what is read and written there
}
