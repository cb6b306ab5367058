package calibrated

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
)

// actingGains sums up how norm gains agree as they act on the columns of corresponding
// units: Statistic is the mean correlation of the side that shows less, as who arranges a
// file may choose what his own side shows, Effect that of the other. N is how many gains
// the first rests on; where the gains of one side are all equal the other speaks alone.
func actingGains(axes []*axis.Axis) similarity.Evidence {
	out := similarity.Evidence{Test: "acting-gains", Axis: "norms", Component: "norms", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned}
	var sum [2]float64
	var views, n [2]int
	for _, x := range axes {
		if x.Coordinates != "raw" || x.Component != "mlp" && x.Component != "experts" {
			continue
		}
		for i := range x.Views {
			v := &x.Views[i].Acting
			for side := range v.N {
				if v.N[side] > 0 {
					sum[side] += v.Correlation[side]
					n[side] += v.N[side]
					views[side]++
				}
			}
		}
	}
	if n[0]+n[1] == 0 {
		out.Skipped = "no norm gains before units that correspond clearly and have common coordinates"
		return out
	}
	of := func(side int) float64 { return sum[side] / float64(max(1, views[side])) }
	less := 0
	if n[0] == 0 || n[1] > 0 && of(1) < of(0) {
		less = 1
	}
	out.N, out.Statistic, out.Effect = n[less], of(less), of(1-less)
	return out
}
