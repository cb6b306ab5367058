package exact

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Signs matches units by everything that does not depend on their sign, each
// unit once, and counts how many matched pairs agree in sign. Flipping a unit
// of A is a symmetry, so under the null the signs are fair coins whatever the
// match: P is a binomial tail. The test survives any relabelling of units.
func Signs(stage int) *similarity.Test {
	return perComponent("signs", "matched units that agree in sign", stage, func(c *component) []similarity.Evidence {
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			equivariant := equivariantViews(x)
			if len(equivariant) == 0 {
				return tally{}, "no sign is free in these units"
			}
			s, m := 0, 0
			na := len(x.A.Units)
			for j, i := range Partners(x) {
				if i < 0 {
					continue
				}
				var sum float32
				for _, v := range equivariant {
					sum += v.Cosine[j*na+i]
				}
				m++
				if sum > 0 {
					s++
				}
			}
			return tally{count: float64(s), n: m, p: stats.SignAgreements(s, m)}, ""
		})
		return c.results("signs", all, skipped, func(all []tally) stats.LogP {
			s, m := 0, 0
			for _, t := range all {
				s, m = s+int(t.count), m+t.n
			}
			return stats.SignAgreements(s, m)
		})
	})
}

func equivariantViews(x *axis.Axis) []axis.View {
	var out []axis.View
	for _, v := range x.Views {
		if v.SignEquivariant {
			out = append(out, v)
		}
	}
	return out
}
