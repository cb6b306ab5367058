package calibrated

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// The matrices of an MLP may carry one another's names: whoever writes the program that
// runs a network is free to choose. Where nothing is found under the names that stand
// there, others are tried. What is found then counts as ever, since a stranger agrees
// under no names; finding nothing says no more than before.

// plain is the share of agreeing units from which no other roles are tried: fewer may
// be those of the layers that happen to be named as they are.
const plain = 0.75

// misnaming is a way in which B's matrices may stand in one another's roles: an order of
// the views of each layer, of those that are compared by their places and of all.
type misnaming struct{ stack, all [][]int }

// misnamings are those that units tell by what rests on no name and, where every layer was
// read, gate and up exchanged in all of them: the one exchange that leaves every shape as
// it is, and that units do not tell where norm weights hide what they are to one another.
func misnamings(ctx context.Context, p *align.Pair, s *mlp.Stacks, a, b []mlp.Block) (out []misnaming) {
	o := &tokenfree.Options{Seed: p.Seed}
	if p.Deep {
		o.Pairs = len(a) * len(b)
	}
	if len(a) > 0 {
		if orders := tokenfree.Orders(ctx, a, b, o); misnamed(orders) {
			out = append(out, misnaming{all: orders})
		}
		order := tokenfree.Arrangements(len(b[0].Views()))[1]
		out = append(out, misnaming{slices.Repeat([][]int{order}, len(s.B)), slices.Repeat([][]int{order}, len(b))})
	} else if s.Why == "" {
		if orders := tokenfree.Orders(ctx, s.A, s.B, o); misnamed(orders) {
			out = append(out, misnaming{stack: orders})
		}
	}
	return out
}

// worthwhile tells, from few layers, units and rounds, whether any units agree with
// these views of B's: a count that is looked at again and decides nothing.
func worthwhile(ctx context.Context, p *align.Pair, s *mlp.Stacks, b []mlp.Block) bool {
	n := min(len(b), 4)
	r := tokenfree.CrossFit(ctx, s.A[:n], b[:n], &tokenfree.Options{Seed: p.Seed, Units: 160, Rounds: 3, Dims: 96})
	return r != nil && r.Share() > chance/2
}

// misnamed tells whether some order is not that of the names.
func misnamed(orders [][]int) bool {
	return slices.ContainsFunc(orders, func(o []int) bool { return !slices.IsSorted(o) })
}

// inRoles puts the views of each block in the given order.
func inRoles(all []mlp.Block, orders [][]int) []mlp.Block {
	out := slices.Clone(all)
	for i, order := range orders {
		views, placed := all[i].Views(), all[i].Views()
		for k, from := range order {
			placed[k].Rows = views[from].Rows
		}
		first := len(all[i].First)
		out[i].First, out[i].Second = placed[:first], placed[first:]
	}
	return out
}
