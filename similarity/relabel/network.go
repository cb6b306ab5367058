package relabel

import (
	"context"
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

// leastTry is what trying a matrix that is smaller costs all the same, in products.
const leastTry = 1 << 12

// network is all that both sides have of matrices of unknown role, in memory, each side
// seen in one layout.
type network struct {
	as, bs       []*roles.Matrix
	viewA, viewB []stored
	a, b         []values
	candidates   [][]int // for each of A, those of B that may correspond to it
}

// values are those of a matrix as stored, and balanced.
type values struct{ stored, balanced []float32 }

// readAll reads the matrices of both sides, and gives all ways to see them in which they
// may correspond.
func readAll(ctx context.Context, p *align.Pair) ([]*network, error) {
	as, bs := matrices(p.A.Net), matrices(p.B.Net)
	if len(p.A.Net.Towers)+len(p.B.Net.Towers) > 0 || len(as) < 2 || len(as) != len(bs) {
		return nil, nil
	}
	out := waysToSee(as, bs)
	if len(out) == 0 || p.Reserve(max(costOf(as), costOf(bs)), 1) == 0 {
		return nil, nil
	}
	rawA, err := read(ctx, as)
	if err != nil {
		return nil, err
	}
	rawB, err := read(ctx, bs)
	if err != nil {
		return nil, err
	}
	for _, n := range out {
		n.a, n.b = seen(rawA, n.viewA), seen(rawB, n.viewB)
	}
	return out, nil
}

// waysToSee lists the pairs of layouts in which there are as many matrices of each shape
// on both sides, and not too much to compare.
func waysToSee(as, bs []*roles.Matrix) (out []*network) {
	for k := range layouts * layouts {
		n := &network{as: as, bs: bs, viewA: viewsOf(as, k%layouts), viewB: viewsOf(bs, k/layouts)}
		known := slices.ContainsFunc(out, func(o *network) bool {
			return slices.Equal(o.viewA, n.viewA) && slices.Equal(o.viewB, n.viewB)
		})
		if !known && n.pairUp() && n.affordable() {
			out = append(out, n)
		}
	}
	return out
}

func costOf(all []*roles.Matrix) (bytes int64) {
	for _, m := range all {
		bytes += m.Cost(m.Rows)
	}
	return bytes
}

// read reads matrices whole.
func read(ctx context.Context, all []*roles.Matrix) (out [][]float32, err error) {
	for _, m := range all {
		values := make([]float32, m.Rows*m.Cols)
		if err := m.Gather(ctx, values, m.All()); err != nil {
			return nil, err
		}
		if hasNaN(values) {
			clear(values)
		}
		out = append(out, values)
	}
	return out, nil
}

func seen(raw [][]float32, views []stored) (out []values) {
	for k, v := range views {
		x := v.of(raw[k])
		out = append(out, values{x, v.balance(x)})
	}
	return out
}

// pairUp lists the candidates: those of one shape. Where trying all of them costs too
// much, the one of the same name, or else the one at the same place.
func (n *network) pairUp() bool {
	n.candidates = make([][]int, len(n.as))
	as, bs := byShape(n.viewA), byShape(n.viewB)
	for k, a := range n.viewA {
		if n.candidates[k] = bs[a.view]; len(bs[a.view]) != len(as[a.view]) {
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

// byShape lists the places of the matrices of each shape.
func byShape(views []stored) map[view][]int {
	out := map[view][]int{}
	for k, v := range views {
		out[v.view] = append(out[v.view], k)
	}
	return out
}

// placed gives each of A the one of its name among those of its shape, or where names
// do not pair all of them, the one at the same place among them; -1 for none.
func (n *network) placed() []int {
	named := map[string]int{}
	for l, b := range n.bs {
		named[b.Tensor.Name] = l
	}
	out := make([]int, len(n.as))
	for k, a := range n.as {
		l, ok := named[a.Tensor.Name]
		if out[k] = l; !ok || n.viewB[l].view != n.viewA[k].view {
			out[k] = -1
		}
	}
	if !slices.Contains(out, -1) {
		return out
	}
	bs := byShape(n.viewB)
	for k, a := range n.viewA {
		out[k] = -1
		if of := bs[a.view]; len(of) > 0 {
			out[k], bs[a.view] = of[0], of[1:]
		}
	}
	return out
}

// tries is how many products it takes at most to try all candidates with all inputs.
func (n *network) tries() (products int64) {
	makers := map[int]int{} // matrices by their rows
	for _, v := range n.viewA {
		makers[v.rows]++
	}
	for k, v := range n.viewA {
		feeders := 1
		for rows, n := range makers {
			feeders += n * len(asInputs(rows, v.inputs))
		}
		products += int64(2*feeders*len(n.candidates[k])) * max(leastTry, int64(min(probes, v.rows))*int64(v.rows)*int64(v.cols()))
	}
	return products
}

// matrices lists those of unknown role that have rows of their own.
func matrices(n *roles.Network) []*roles.Matrix {
	return slices.DeleteFunc(slices.Clone(n.Generic), func(m *roles.Matrix) bool { return m.Flat() || m.Rows < 2 || m.Cols < 1 })
}

// affordable tells whether everything may be read and compared.
func (n *network) affordable() bool {
	var values, products int64
	for _, v := range n.viewA {
		rows, cols := int64(v.rows), int64(v.cols())
		if rows > mostRows {
			return false
		}
		values += rows * cols
		products += rows * rows * cols
	}
	return values <= mostValues && products <= mostProducts
}

func hasNaN(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 })
}
