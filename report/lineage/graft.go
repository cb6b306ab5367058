package lineage

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
	mixture "github.com/weightprint/weightprint/similarity/recipe"
)

// graft hangs a joint model below the nearest member of each family it has
// parts of, or below those that a recipe names.
func (b *builder) graft(ctx context.Context, g *Graph, c int, families []int, joint []bool) error {
	var near, candidates []int
	for f := range b.in {
		var kin []int
		for i, x := range families {
			if x == f && !joint[i] && b.kin(i, c) {
				kin = append(kin, i)
			}
		}
		kin = b.originals(kin)
		if same := slices.DeleteFunc(slices.Clone(kin), func(i int) bool { return b.vecs.shape[i] != b.vecs.shape[c] }); len(same) > 0 {
			kin = same // distances over different matrices cannot be held against each other
		}
		b.sortByDistance(c, kin)
		if len(kin) > 0 {
			near = append(near, kin[0])
			candidates = append(candidates, kin[:min(len(kin), 6)]...)
		}
	}
	parents, err := b.spliced(ctx, c, candidates)
	if err != nil {
		return err
	}
	if parents != nil {
		g.Edges = append(g.Edges, b.mergeEdges(c, parents)...)
		return nil
	}
	for _, p := range near {
		direction, because := b.direction(p, c)
		g.Edges = append(g.Edges, b.describe(p, c, direction, because))
	}
	return nil
}

// spliced finds the parents that whole layers of a model were taken from: at
// least two, which leave no more than rounding. It is nil where there are none.
func (b *builder) spliced(ctx context.Context, c int, candidates []int) (out []share, err error) {
	if len(candidates) < 2 {
		return nil, nil
	}
	r, err := b.fit(ctx, c, candidates...)
	if err != nil || r.Missing || r.Method != mixture.Passthrough {
		return nil, err
	}
	for k, w := range r.Weights {
		if math.Abs(w) > verdict.TakesPart {
			out = append(out, share{candidates[k], fmt.Sprintf("%s, a share of %.2g", r.Method, w)})
		}
	}
	if len(out) < 2 {
		return nil, nil
	}
	return out, nil
}

// donors are the members that all layers of a model are copies of, the one with most of
// them first; none where a layer is nobody's, or one member has them all.
func (b *builder) donors(c, origin int, members []int) (out []int) {
	f := b.vecs.frames
	if f == nil {
		return nil
	}
	open := make([][][2]int, len(f.layers[c]))
	for l := 1; l < len(open); l++ {
		if open[l] = f.nearest(c, origin, l); len(open[l]) == 0 {
			return nil
		}
	}
	from := slices.DeleteFunc(slices.Clone(members), func(i int) bool { return i == c || b.vecs.shape[i] != b.vecs.shape[origin] })
	b.sortByDistance(c, from) // of those that have the same layers the one that has the same tokens
	for left := len(open) - 1; left > 0; {
		best, most := -1, 0
		for _, i := range from {
			n := 0
			for _, both := range open {
				if f.copied(c, i, both) {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		if best < 0 || most == len(open)-1 {
			return nil
		}
		for l := range open {
			if f.copied(c, best, open[l]) {
				open[l] = nil
			}
		}
		out, left = append(out, best), left-most
	}
	return out
}

func (b *builder) sortByDistance(c int, all []int) {
	slices.SortStableFunc(all, func(i, j int) int { return cmp.Compare(b.pairs[i][c].distance, b.pairs[j][c].distance) })
}
