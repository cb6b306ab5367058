package calibrated

import (
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
)

// actingGains sums up how norm gains agree as they act on the columns of corresponding
// units, for the gains of each side that vary: Effect is the mean correlation, Statistic
// what it would be about, were the gains the same on both sides, N how many gains it rests
// on. Who arranges a file may choose what his own side shows.
func actingGains(axes []*axis.Axis) (out []similarity.Evidence) {
	for side, name := range []string{"norms of A", "norms of B"} {
		e := similarity.Evidence{Test: "acting-gains", Axis: name, Component: "norms", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned}
		views := 0.0
		for _, x := range axes {
			if x.Coordinates != "raw" || x.Component != "mlp" && x.Component != "experts" {
				continue
			}
			for i := range x.Views {
				if v := &x.Views[i].Acting; v.N[side] > 0 {
					e.Effect += v.Correlation[side]
					e.Statistic += v.Expected[side]
					e.N += v.N[side]
					views++
				}
			}
		}
		if e.Effect, e.Statistic = e.Effect/max(1, views), e.Statistic/max(1, views); e.N == 0 {
			e.Skipped = "no norm gains that vary before units that correspond clearly and have common coordinates"
		}
		out = append(out, e)
	}
	return out
}
