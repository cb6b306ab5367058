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
// units, the other half fixed points. Statistic is its decimal logarithm,
// summed over axes; the p-value is one over the e-value of all axes together.
func LabelE(stage int) *similarity.Test {
	return perComponent("label-e", "labels weighed against all their orders, block by block", stage, func(c *component) []similarity.Evidence {
		labels := map[*axis.Axis]weighed{}
		all, skipped := c.gather(func(x *axis.Axis) (tally, string) {
			if x.A.Total != x.B.Total {
				return tally{}, "the two sides have different numbers of units"
			}
			t := namesakes(x)
			if t.N < 2 {
				return tally{}, "fewer than two units can be told apart on both sides"
			}
			labels[x] = weigh(t, c.seed)
			return labels[x].tally(x), ""
		})
		return c.results("label-e", all, skipped, func(all []tally) stats.LogP { return pooledE(labels, all) })
	})
}

// weighed is what the labels of one axis gave.
type weighed struct {
	bets     evalue.Bets
	fixed, n int
}

func weigh(t evalue.Table, seed []byte) weighed { return weighed{t.Bets(seed), fixed(t), t.N} }

func (w weighed) tally(x *axis.Axis) tally {
	e := labelE(w)
	return tally{axis: x, count: e / math.Ln10, n: w.n, p: stats.LogP(evalue.LogP(e))}
}

// pooledE is the p-value of the e-value of all axes together.
func pooledE(labels map[*axis.Axis]weighed, all []tally) stats.LogP {
	var ws []weighed
	for _, t := range all {
		ws = append(ws, labels[t.axis])
	}
	return stats.LogP(evalue.LogP(labelE(ws...)))
}

// labelE mixes the two e-values of independent axes.
func labelE(axes ...weighed) float64 {
	var bets []evalue.Bets
	k := 0
	for _, w := range axes {
		bets, k = append(bets, w.bets), k+w.fixed
	}
	return evalue.Mix(evalue.Pool(bets...), evalue.FixedPoints(k, len(axes)))
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
	t := evalue.Table{N: len(ja), Name: x.Name, Likeness: make([]float32, 0, len(ja)*len(jb))}
	for _, j := range jb {
		row := likeness[j*na : (j+1)*na]
		for _, i := range ja {
			t.Likeness = append(t.Likeness, row[i])
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
