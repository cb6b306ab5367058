package carry

import "github.com/weightprint/weightprint/internal/forward"

// set is what agrees in one layer of one side.
type set struct{ units, heads map[int]bool }

func newSet() *set { return &set{map[int]bool{}, map[int]bool{}} }

// sets lists what agrees on one side by position of the layer. A layer that stands
// against several has all that agrees with any of them.
func sets(layers []Layer, side int) map[int]*set {
	out := map[int]*set{}
	for _, l := range layers {
		at := [2]int{l.A, l.B}[side]
		if out[at] == nil {
			out[at] = newSet()
		}
		for _, u := range l.Units {
			out[at].units[u[side]] = true
		}
		for _, h := range l.Heads {
			out[at].heads[h[side]] = true
		}
	}
	return out
}

// cuts takes the sets out of a network.
func cuts(m *forward.Model, sets map[int]*set) forward.Variant {
	out := forward.Variant{}
	for i, s := range sets {
		c := forward.Cut{Units: left(s.units, m.Tower.Layers[i].MLPs()[0].Width()), Heads: left(s.heads, m.Tower.KVHeads)}
		c.MLP, c.Attention = len(s.units) == len(c.Units), len(s.heads) == len(c.Heads)
		out[i] = c
	}
	return out
}

// left is what is left of each of n: 0 of those in the set, else 1.
func left(gone map[int]bool, n int) []float32 {
	out := make([]float32, n)
	for k := range out {
		if !gone[k] {
			out[k] = 1
		}
	}
	return out
}
