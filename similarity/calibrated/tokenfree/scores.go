package tokenfree

import (
	"context"

	"github.com/weightprint/weightprint/similarity/mlp"
)

// CrossScores counts the agreeing units of every layer of B against every layer of A,
// [layer of B][layer of A], under the basis that CrossFit finds without that layer of B.
// units is how many could agree. It is for looking at: the diagonal is what CrossFit
// counts. Once ctx has ended the counts mean nothing.
func CrossScores(ctx context.Context, a, b []mlp.Block, o *Options) (counts [][]int, tested int) {
	if len(a) < 2 || len(a) != len(b) {
		return nil, 0
	}
	if units(b) > units(a) { // all of the larger side is searched
		counts, tested = crossScores(b, a, o.within(ctx))
		return transposed(counts), tested
	}
	return crossScores(a, b, o.within(ctx))
}

func crossScores(a, b []mlp.Block, opt Options) (counts [][]int, tested int) {
	free := turned(a, b)
	sa, sb := layersOf(a, free), layersOf(b, free)
	counts = make([][]int, len(b))
	for fold, h := range halvesOf(sa, sb, opt) {
		for j := 1 - fold; j < len(b); j += 2 {
			d := sb.at(j)
			for i := range a {
				if opt.ended() {
					return nil, 0
				}
				layer, _ := h.fit.try(sa.at(i), d)
				counts[j], tested = append(counts[j], layer.Agree), max(tested, layer.Tested)
			}
		}
	}
	return counts, tested
}

// transposed exchanges rows and columns of a square.
func transposed(x [][]int) [][]int {
	out := make([][]int, len(x))
	for i := range out {
		for _, row := range x {
			out[i] = append(out[i], row[i])
		}
	}
	return out
}
