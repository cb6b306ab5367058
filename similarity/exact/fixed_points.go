package exact

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// FixedPoints counts the units of B whose most similar unit of A stands at
// the same place, pooled over the axes of each component:
// P ≤ L^K/K! for K fixed points on L independent axes.
func FixedPoints(stage int) *similarity.Test {
	return perComponent("fixed-points", "units that are most like the unit at the same place", stage, func(c *component) []similarity.Evidence {
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			if x.A.Total != x.B.Total {
				return tally{}, "the two sides have different numbers of units"
			}
			k, n := 0, 0
			for j, i := range x.Matcher().Nearest(pooled(x)) {
				if i >= 0 {
					n++
				}
				if i >= 0 && x.A.Units[i] == x.B.Units[j] {
					k++
				}
			}
			return tally{count: float64(k), n: n, p: stats.FixedPoints(k, 1)}, ""
		})
		return c.results("fixed-points", all, skipped, func(all []tally) stats.LogP {
			k := 0
			for _, t := range all {
				k += int(t.count)
			}
			return stats.FixedPoints(k, len(all))
		})
	})
}
