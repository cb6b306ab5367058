package exact

import (
	"math"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact/evalue"
	"github.com/weightprint/weightprint/similarity/stats"
)

// LabelE is the test for likeness too weak and too evenly spread for fixed
// points: an e-value, one half of it block permanents on the likeness of
// units, the other half fixed points. Statistic is its decimal logarithm; the
// p-value is one over the e-value.
func LabelE(stage int) *similarity.Test {
	return perComponent("label-e", "labels weighed against all their orders, block by block", stage, func(c *component) []similarity.Evidence {
		tables := map[*axis.Axis]evalue.Table{}
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			if x.A.Total != x.B.Total {
				return tally{}, "the two sides have different numbers of units"
			}
			t := namesakes(x)
			if t.N < 2 {
				return tally{}, "fewer than two units can be told apart on both sides"
			}
			tables[x] = t
			e := labelE([]evalue.Table{t}, fixed(t), c.seed)
			return tally{axis: x, count: e / math.Ln10, n: t.N, p: stats.LogP(evalue.LogP(e))}, ""
		})
		return c.results("label-e", all, skipped, func(all []tally) stats.LogP { return pooledE(tables, all, c.seed) })
	})
}

// pooledE is the p-value of the e-value of all axes together.
func pooledE(tables map[*axis.Axis]evalue.Table, all []tally, seed []byte) stats.LogP {
	var ts []evalue.Table
	k := 0
	for _, t := range all {
		ts = append(ts, tables[t.axis])
		k += fixed(tables[t.axis])
	}
	return stats.LogP(evalue.LogP(labelE(ts, k, seed)))
}

// labelE mixes the two e-values of independent axes.
func labelE(ts []evalue.Table, fixed int, seed []byte) float64 {
	return evalue.Mix(evalue.Blocks(ts, seed), evalue.FixedPoints(fixed, len(ts)))
}

// namesakes is the likeness of the units that were read from both sides and
// can be told apart on both, by a rule that looks at each side alone.
func namesakes(x *axis.Axis) evalue.Table {
	at := map[int]int{}
	for i, u := range x.A.Units {
		if x.A.Eligible[i] {
			at[u] = i
		}
	}
	var ja, jb []int
	for j, u := range x.B.Units {
		if i, ok := at[u]; ok && x.B.Eligible[j] {
			ja, jb = append(ja, i), append(jb, j)
		}
	}
	likeness, na := signed(x), len(x.A.Units)
	t := evalue.Table{N: len(ja), Name: x.Name}
	for _, j := range jb {
		for _, i := range ja {
			t.Likeness = append(t.Likeness, likeness[j*na+i])
		}
	}
	return t
}

// fixed counts rows that are largest on the diagonal, alone.
func fixed(t evalue.Table) (k int) {
	for j := range t.N {
		row := t.Likeness[j*t.N : (j+1)*t.N]
		best := true
		for i, v := range row {
			best = best && (i == j || v < row[j])
		}
		if best {
			k++
		}
	}
	return k
}
