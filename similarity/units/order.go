package units

import (
	"github.com/weightprint/weightprint/similarity"
)

// Order asks whether the matches of B's units come in A's order, as they do
// when units were removed or inserted but not shuffled: k is the length of
// the longest increasing run of matches that need not be adjacent, and
// P ≤ C(n,k)/k!. The axes of a component are independent and combine by
// Fisher's method.
func Order(look int) *similarity.Test {
	return perComponent("order", "units whose matches come in the same order", look, func(p *similarity.Pair, c *component) []similarity.Evidence {
		all, skipped := c.gather(func(x *similarity.Axis) (tally, string) {
			var seq []int
			for _, i := range mutual(p, x, pooled(x)) {
				if i >= 0 {
					seq = append(seq, i)
				}
			}
			// n is the number of units that could have matched, not of those that did.
			n := min(eligibleUnits(x.A), eligibleUnits(x.B))
			k := similarity.LongestIncreasing(seq)
			return tally{count: float64(k), n: n, p: similarity.Ordered(eligibleUnits(x.B), k)}, ""
		})
		return c.results("order", all, skipped, func(all []tally) similarity.LogP {
			ps := make([]similarity.LogP, len(all))
			for i, t := range all {
				ps[i] = t.p
			}
			return similarity.Fisher(ps)
		})
	})
}

func eligibleUnits(s similarity.Side) int {
	n := 0
	for _, ok := range s.Eligible {
		if ok {
			n++
		}
	}
	return n
}
