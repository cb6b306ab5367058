package measured

import (
	"context"

	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

// anchoredWork bounds the multiplications spent on layers seen through tokens, some
// seconds.
const anchoredWork = 1 << 35

// anchoredScores compares layers in the coordinates of the test that finds units through
// the tokens of both: nil where it found nothing. No order, place or sign of units and no
// change of the basis of the residual stream alters them.
func anchoredScores(ctx context.Context, v *read.Values, found []similarity.Evidence) (*LayerScores, error) {
	last := len(axis.Stages()) - 1
	for _, t := range v.Towers {
		ran := false
		for _, e := range found {
			ran = ran || verdict.ThroughTokens(e) && e.Tower == t.B.Name && e.LayerB < 0 && e.Skipped == "" && e.Effect > clearly
		}
		if !ran {
			continue
		}
		c, err := axis.Cross(ctx, v.Pair, t, last, anchoredWork)
		if err != nil || c == nil {
			return nil, err
		}
		out := &LayerScores{Tower: t.B.Name, How: verdict.Agreement, Coordinates: Tokens}
		for _, a := range c.A {
			out.A = append(out.A, t.A.Layers[a].Index)
		}
		for j, row := range c.Axes {
			out.B = append(out.B, t.B.Layers[c.B[j]].Index)
			counts := make([]int, len(row))
			for i, x := range row {
				count, n, _ := calibrated.AgreeingUnits(x)
				counts[i], out.Units = count, max(out.Units, n)
			}
			out.Counts = append(out.Counts, counts)
		}
		return out, nil
	}
	return nil, nil
}
