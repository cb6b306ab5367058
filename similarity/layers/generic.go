package layers

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/align"
)

// pairedRows is how many rows of a matrix choose its partner; mostUnpaired bounds
// the matrices of one shape that are held against each other.
const (
	pairedRows   = 48
	mostUnpaired = 256
)

// PairGeneric pairs matrices of unknown role by their rows, where several of one
// shape are left: two belong together if most of a sample of rows are most like
// the row at the same place, in both directions, and no other matrix of either
// side does better. It reads the same rows of all of them. So it does with what names
// pair: rows that show other partners have the last word. What finds no partner so
// is tried with its columns, and kernels in the orders of other libraries. Tests on the
// pairs charge for the choice.
func PairGeneric(ctx context.Context, p *align.Pair) error {
	c := &choice{once: map[*tensor.Tensor]bool{}}
	if err := c.named(ctx, p); err != nil {
		return err
	}
	p.Choose(c.pairs)
	found, err := pairGroups(ctx, p, p.Unpaired())
	if err != nil {
		return err
	}
	for _, x := range found {
		if !c.once[x.A.Tensor] && !c.once[x.B.Tensor] {
			c.take(x, false)
		}
	}
	p.Choose(c.pairs)
	turned, err := pairGroups(ctx, p, p.UnpairedTurned())
	if err != nil {
		return err
	}
	for _, x := range turned {
		if c.once[x.A.Tensor] || c.once[x.B.Tensor] || len(x.A.Dims()) > 2 && !x.A.Better(x.B) {
			continue // another view of the same, or as good as stored
		}
		c.take(x, true)
	}
	if c.turned {
		var a, b []*roles.Matrix
		for _, x := range c.pairs {
			a, b = append(a, x.A), append(b, x.B)
		}
		p.Turn(a, b)
	}
	p.Choose(c.pairs)
	return nil
}

// choice is what rows have paired.
type choice struct {
	pairs  []align.GenericPair
	turned bool // some in other views than the networks have
	once   map[*tensor.Tensor]bool
}

// named asks rows about what names pair. They can be exchanged among matrices of one shape,
// and square ones stored the other way round.
func (c *choice) named(ctx context.Context, p *align.Pair) error {
	for _, group := range p.Named() {
		if b := group[1][0]; len(group[1]) == 1 && b.Rows != b.Cols {
			continue
		}
		all, err := sampleRows(ctx, p, group[0], group[1])
		if err != nil {
			return err
		}
		if all == nil {
			continue
		}
		open, seen := all.open(), map[*roles.Matrix]bool{}
		for _, x := range open.pairs() {
			seen[x.A], seen[x.B] = true, true
			if x.A.Tensor.Name != x.B.Tensor.Name {
				c.take(x, false)
			}
		}
		as, bs := unseen(open.as, seen), turnedViews(unseen(open.bs, seen))
		if len(as) == 0 || len(bs) == 0 {
			continue
		}
		turned, err := pairRows(ctx, p, as, bs)
		if err != nil {
			return err
		}
		for _, x := range turned {
			c.take(x, true)
		}
	}
	return nil
}

func (c *choice) take(x align.GenericPair, turned bool) {
	if turned {
		c.turned = true
		c.once[x.A.Tensor], c.once[x.B.Tensor] = true, true
		x.Choice *= orientations
	}
	c.pairs = append(c.pairs, x)
}

func unseen(all []*roles.Matrix, seen map[*roles.Matrix]bool) []*roles.Matrix {
	return slices.DeleteFunc(slices.Clone(all), func(m *roles.Matrix) bool { return seen[m] })
}

// turnedViews are those of square matrices the other way round.
func turnedViews(all []*roles.Matrix) (out []*roles.Matrix) {
	for _, m := range all {
		if t := m.Turned(); t != nil && t.Rows == m.Rows {
			out = append(out, t)
		}
	}
	return out
}

// orientations bounds the ways in which a pair of matrices is tried: either side's as stored
// and in four other orders.
const orientations = 25

func pairGroups(ctx context.Context, p *align.Pair, groups [][2][]*roles.Matrix) (found []align.GenericPair, err error) {
	for _, group := range groups {
		pairs, err := pairRows(ctx, p, group[0], group[1])
		if err != nil {
			return nil, err
		}
		found = append(found, pairs...)
	}
	return found, nil
}

func pairRows(ctx context.Context, p *align.Pair, as, bs []*roles.Matrix) ([]align.GenericPair, error) {
	s, err := sampleRows(ctx, p, as, bs)
	return s.pairs(), err
}
