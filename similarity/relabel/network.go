package relabel

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// What is put into order at most: rows of a matrix, values of a side, and products
// for a comparison of all rows with all rows.
const (
	mostRows     = 4096
	mostValues   = 1 << 24
	mostProducts = 1 << 34
)

// network is all that both sides have of matrices of unknown role, in memory.
type network struct {
	as, bs     []*roles.Matrix
	views      []view // of A's
	a, b       []values
	candidates [][]int // for each of A, those of B that may correspond to it
}

// values are those of a matrix as stored, and balanced.
type values struct{ stored, balanced []float32 }

// readAll reads the matrices of both sides; nil where they cannot correspond.
func readAll(ctx context.Context, p *align.Pair) (*network, error) {
	n := &network{as: matrices(p.A.Net), bs: matrices(p.B.Net)}
	if len(p.A.Net.Towers)+len(p.B.Net.Towers) > 0 || len(n.as) < 2 || len(n.as) != len(n.bs) {
		return nil, nil
	}
	n.views = viewsOf(n.as)
	if !n.pairUp() || !n.affordable(p) {
		return nil, nil
	}
	n.a, n.b = make([]values, len(n.as)), make([]values, len(n.bs))
	for k, v := range n.views {
		if err := v.read(ctx, n.as[k], &n.a[k]); err != nil {
			return nil, err
		}
	}
	for k := range n.as {
		for _, l := range n.candidates[k] {
			if n.b[l].stored != nil {
				continue
			}
			if err := n.views[k].read(ctx, n.bs[l], &n.b[l]); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// pairUp lists the candidates: those of one shape. Where trying all of them costs too
// much, the one of the same name, or else the one at the same place.
func (n *network) pairUp() bool {
	n.candidates = make([][]int, len(n.as))
	left := map[string]int{}
	for k, a := range n.as {
		left[shapeOf(a)]++
		for l, b := range n.bs {
			if shapeOf(a) == shapeOf(b) {
				n.candidates[k] = append(n.candidates[k], l)
			}
		}
	}
	for _, b := range n.bs {
		if left[shapeOf(b)]--; left[shapeOf(b)] < 0 {
			return false
		}
	}
	if n.tries() > mostProducts {
		for k, l := range n.placed() {
			if l < 0 {
				return false
			}
			n.candidates[k] = []int{l}
		}
	}
	return true
}

// placed gives each of A the one of its name among those of its shape, or where names
// do not pair all of them, the one at the same place among them; -1 for none.
func (n *network) placed() []int {
	out := make([]int, len(n.as))
	for k, a := range n.as {
		out[k] = slices.IndexFunc(n.bs, func(b *roles.Matrix) bool {
			return a.Tensor.Name == b.Tensor.Name && shapeOf(a) == shapeOf(b)
		})
	}
	if !slices.Contains(out, -1) {
		return out
	}
	seen := map[string]int{}
	for k, a := range n.as {
		of := n.sameShape(a)
		out[k] = -1
		if i := seen[shapeOf(a)]; i < len(of) {
			out[k] = of[i]
		}
		seen[shapeOf(a)]++
	}
	return out
}

// sameShape lists B's matrices of a shape.
func (n *network) sameShape(a *roles.Matrix) (out []int) {
	for l, b := range n.bs {
		if shapeOf(a) == shapeOf(b) {
			out = append(out, l)
		}
	}
	return out
}

func shapeOf(m *roles.Matrix) string { return fmt.Sprint(m.Dims(), m.Rows, m.Cols) }

// tries is how many products it takes at most to try all candidates with all inputs.
func (n *network) tries() (products int64) {
	for k, v := range n.views {
		feeders := 1
		for _, w := range n.views {
			feeders += len(asInputs(w.rows, v.inputs))
		}
		products += int64(2*feeders*len(n.candidates[k])) * int64(min(probes, v.rows)) * int64(v.rows) * int64(v.cols())
	}
	return products
}

// matrices lists those of unknown role that have rows of their own.
func matrices(n *roles.Network) []*roles.Matrix {
	return slices.DeleteFunc(slices.Clone(n.Generic), func(m *roles.Matrix) bool { return m.Flat() || m.Rows < 2 || m.Cols < 1 })
}

// affordable tells whether everything may be read and compared, and books it.
func (n *network) affordable(p *align.Pair) bool {
	var values, products, cost int64
	for k, v := range n.views {
		rows, cols := int64(v.rows), int64(v.cols())
		if rows > mostRows {
			return false
		}
		values += rows * cols
		products += rows * rows * cols
		cost += n.as[k].Cost(n.as[k].Rows)
	}
	var other int64
	for _, b := range n.bs {
		other += b.Cost(b.Rows)
	}
	return values <= mostValues && products <= mostProducts && p.Reserve(max(cost, other), 1) > 0
}

// read reads a matrix whole.
func (v view) read(ctx context.Context, m *roles.Matrix, to *values) error {
	stored := make([]float32, m.Rows*m.Cols)
	if err := m.Gather(ctx, stored, m.All()); err != nil {
		return err
	}
	if hasNaN(stored) {
		clear(stored)
	}
	to.stored = v.of(stored)
	to.balanced = v.balance(to.stored)
	return nil
}

func hasNaN(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 })
}
