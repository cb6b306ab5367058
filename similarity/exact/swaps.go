package exact

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Swaps is the exact form of "the diagonal is large". Units are paired off by
// position; under the null, exchanging the two units of a pair of A is as
// likely as not, so each gain d = C[i,i]+C[j,j]−C[i,j]−C[j,i] has a fair sign
// whatever its size, and Hoeffding bounds their sum. It finds likeness too
// weak for any single unit to show, such as very long continued training.
func Swaps(stage int) *similarity.Test {
	return perComponent("swaps", "units closer to their namesakes than to their neighbours'", stage, func(c *component) []similarity.Evidence {
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			if x.A.Total != x.B.Total {
				return tally{}, "the two sides have different numbers of units"
			}
			likeness, na := signed(x), len(x.A.Units)
			var sum, sq float64
			pairs := 0
			for i := 0; i+1 < na; i += 2 {
				if !x.A.Eligible[i] || !x.A.Eligible[i+1] || !x.B.Eligible[i] || !x.B.Eligible[i+1] {
					continue
				}
				at := func(j, k int) float64 { return float64(likeness[j*na+k]) }
				d := at(i, i) + at(i+1, i+1) - at(i, i+1) - at(i+1, i)
				sum += d
				sq += float64(d * d)
				pairs++
			}
			views := float64(max(1, len(x.Views)))
			return tally{count: sum / views, squares: sq / (views * views), n: 2 * pairs, p: stats.Swaps(sum, sq)}, ""
		})
		return c.results("swaps", all, skipped, func(all []tally) stats.LogP {
			sum, squares := 0.0, 0.0
			for _, t := range all {
				sum, squares = sum+t.count, squares+t.squares
			}
			return stats.Swaps(sum, squares)
		})
	})
}
