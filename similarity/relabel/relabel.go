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

// Pair is the pair with the hidden units of B's matrices of unknown role in the order
// of A's, in memory; nil where these do not correspond one to one, by their
// names or by their place among those of one shape, or are more than the budget of the
// pair allows to read.
func Pair(ctx context.Context, p *align.Pair) (*align.Pair, Moved, error) {
	pairs := corresponding(p)
	if len(p.A.Net.Towers)+len(p.B.Net.Towers) > 0 || len(pairs) < 2 || !affordable(p, pairs) {
		return nil, Moved{}, nil
	}
	forward(pairs)
	blocks := make([]block, len(pairs))
	for k, x := range pairs {
		var err error
		if blocks[k], err = read(ctx, x); err != nil {
			return nil, Moved{}, err
		}
	}
	rows, feeds := match(blocks)
	return ordered(p, pairs, blocks, rows, feeds), moved(pairs, blocks, rows, feeds), nil
}

// corresponding pairs the matrices of both sides by name, or else by place where
// the two list the same shapes in one order.
func corresponding(p *align.Pair) (out []align.GenericPair) {
	as, bs := matrices(p.A.Net), matrices(p.B.Net)
	if len(as) != len(bs) {
		return nil
	}
	named := func(b *roles.Matrix) *roles.Matrix {
		i := slices.IndexFunc(as, func(a *roles.Matrix) bool { return a.Tensor.Name == b.Tensor.Name && sameShape(a, b) })
		if i < 0 {
			return nil
		}
		return as[i]
	}
	byName := !slices.ContainsFunc(bs, func(b *roles.Matrix) bool { return named(b) == nil })
	for k, b := range bs {
		a := as[k]
		if byName {
			a = named(b)
		}
		if !sameShape(a, b) {
			return nil
		}
		out = append(out, align.GenericPair{A: a, B: b, Choice: 1})
	}
	return out
}

// matrices lists those of unknown role that have rows of their own.
func matrices(n *roles.Network) []*roles.Matrix {
	return slices.DeleteFunc(slices.Clone(n.Generic), func(m *roles.Matrix) bool { return m.Flat() || m.Rows < 2 || m.Cols < 1 })
}

func sameShape(a, b *roles.Matrix) bool {
	return a.Rows == b.Rows && a.Cols == b.Cols && inputsOf(a) == inputsOf(b)
}

// inputsOf is how many units a matrix reads, each through a window of values.
func inputsOf(m *roles.Matrix) int {
	if n := m.Inputs(); n > 0 && m.Cols%n == 0 {
		return n
	}
	return m.Cols
}

// affordable tells whether everything may be read and compared, and books it.
func affordable(p *align.Pair, pairs []align.GenericPair) bool {
	var values, products, cost int64
	for _, x := range pairs {
		if x.A.Rows > mostRows {
			return false
		}
		rows, cols := int64(x.A.Rows), int64(x.A.Cols)
		values += rows * cols
		products += rows * rows * cols
		cost += max(x.A.Cost(x.A.Rows), x.B.Cost(x.B.Rows))
	}
	return values <= mostValues && products <= mostProducts && p.Reserve(cost, 1) > 0
}

// forward turns all matrices where their rows, in stored order, are what others'
// inputs are in the opposite orientation.
func forward(pairs []align.GenericPair) {
	along, against := 0, 0
	for k := range pairs[1:] {
		m, next := pairs[k].A, pairs[k+1].A
		if m.Rows == inputsOf(next) {
			along++
		}
		if m.Cols == next.Rows {
			against++
		}
	}
	if along >= against {
		return
	}
	for k, x := range pairs {
		if a, b := x.A.Turned(), x.B.Turned(); a != nil && b != nil {
			pairs[k].A, pairs[k].B = a, b
		}
	}
}

// read reads both matrices whole.
func read(ctx context.Context, x align.GenericPair) (block, error) {
	k := block{rows: x.A.Rows, inputs: inputsOf(x.A)}
	k.window = x.A.Cols / k.inputs
	for _, side := range []struct {
		m  *roles.Matrix
		to *[]float32
	}{{x.A, &k.a}, {x.B, &k.b}} {
		*side.to = make([]float32, side.m.Rows*side.m.Cols)
		if err := side.m.Gather(ctx, *side.to, side.m.All()); err != nil {
			return k, err
		}
		if x.A.Cols < k.inputs || hasNaN(*side.to) {
			clear(*side.to)
		}
	}
	return k, nil
}

func hasNaN(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 })
}

// ordered is the pair with B's matrices in the orders found, and the inputs of both
// multiplied as they were for it.
func ordered(p *align.Pair, pairs []align.GenericPair, blocks []block, rows []order, feeds []feed) *align.Pair {
	a, b := &roles.Network{Family: p.A.Net.Family}, &roles.Network{Family: p.B.Net.Family}
	var chosen []align.GenericPair
	for k, x := range pairs {
		f, w := feeds[k], blocks[k].cols()
		turned := blocks[k].fed(blocks[k].b, f.b, f.order)
		y := make([]float32, len(turned))
		for i, j := range rows[k] {
			copy(y[i*w:(i+1)*w], turned[j*w:(j+1)*w])
		}
		x.A, x.B = x.A.InMemory(blocks[k].fed(blocks[k].a, f.a, nil)), x.B.InMemory(y)
		chosen = append(chosen, x)
		a.Generic, b.Generic = append(a.Generic, x.A), append(b.Generic, x.B)
	}
	q := align.NewPair(&align.Subject{Name: p.A.Name, Net: a}, &align.Subject{Name: p.B.Name, Net: b}, p.Seed, align.NoLimit)
	q.Choose(chosen)
	return q
}
