package relabel

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Pair is the pair with the hidden units of B's matrices of unknown role in the order
// of A's, in memory; nil where there are not as many of each shape on both sides, or
// more than the budget of the pair allows to read.
func Pair(ctx context.Context, p *align.Pair) (*align.Pair, Moved, error) {
	networks, err := readAll(ctx, p)
	if err != nil || len(networks) == 0 {
		return nil, Moved{}, err
	}
	var best *network
	var found []*block
	for _, n := range networks {
		if f := n.match(); best == nil || sureness(f) > sureness(found) {
			best, found = n, f
		}
	}
	return best.ordered(p, found), moved(found), nil
}

// Scaled sums up the matrices of unknown role where units are in one order already, and
// may have been scaled.
func Scaled(ctx context.Context, p *align.Pair) (best Moved, err error) {
	networks, err := readAll(ctx, p)
	for _, n := range networks {
		if m := moved(n.inPlace()); m.Values > best.Values {
			best = m
		}
	}
	return best, err
}

// inPlace pairs matrices by name or place, their units in the order in which they stand;
// none where that does not pair all.
func (n *network) inPlace() (out []*block) {
	for k, l := range n.placed() {
		if l < 0 {
			return nil
		}
		x := n.block(k, l)
		x.order, x.feed.order = identity(x.rows), identity(x.inputs)
		out = append(out, x)
	}
	return out
}

// ordered is the pair with B's matrices in the orders found, and both balanced where
// they were for it.
func (n *network) ordered(p *align.Pair, found []*block) *align.Pair {
	var as, bs []*roles.Matrix
	var chosen []align.GenericPair
	for _, x := range found {
		g := align.GenericPair{
			A:      n.as[x.k].InMemory(x.fed(0, x.feed), x.shape()),
			B:      n.bs[x.l].InMemory(x.picked(x.fed(1, x.feed), x.order), x.shape()),
			Choice: len(n.candidates[x.k]),
		}
		chosen = append(chosen, g)
		as, bs = append(as, g.A), append(bs, g.B)
	}
	q := align.NewPair(&align.Subject{Name: p.A.Name, Net: p.A.Net.Only(as)}, &align.Subject{Name: p.B.Name, Net: p.B.Net.Only(bs)}, p.Seed, align.NoLimit)
	q.Choose(chosen)
	return q
}
