package exact

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Order asks whether the matches of B's units come in A's order, as they do
// when units were removed or inserted but not shuffled: k is the length of
// the longest increasing run of matches that need not be adjacent, and
// P ≤ C(n,k)/k!. The axes of a component are independent and combine by
// Fisher's method.
func Order(stage int) *similarity.Test {
	return perComponent("order", "units whose matches come in the same order", stage, func(c *component) []similarity.Evidence {
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			var seq []int
			for _, i := range Partners(x) {
				if i >= 0 {
					seq = append(seq, i)
				}
			}
			// n is the number of units that could have matched, not of those that did.
			n := min(x.A.Count(), x.B.Count())
			k := stats.LongestIncreasing(seq)
			return tally{count: float64(k), n: n, p: stats.Ordered(x.B.Count(), k)}, ""
		})
		return c.results("order", all, skipped, func(all []tally) stats.LogP {
			ps := make([]stats.LogP, len(all))
			for i, t := range all {
				ps[i] = t.p
			}
			return stats.Fisher(ps)
		})
	})
}
