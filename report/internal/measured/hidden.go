package measured

import (
	"context"

	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// clearly is the share of units that must find partners, on average over the layers of
// B in their best layer of A, for a picture of layers to show something.
const clearly = 0.25

// clear tells whether layers stand out against each other.
func (s *LayerScores) clear() bool {
	if s == nil || s.Units == 0 {
		return false
	}
	found := 0
	for _, row := range s.Counts {
		best := 0
		for _, n := range row {
			best = max(best, n)
		}
		found += best
	}
	return float64(found) >= clearly*float64(s.Units*len(s.Counts))
}

// hiddenScores compares layers in the coordinates of the test of held-out layers, which
// no change of basis, order or sign of units alters. What that test read is used again:
// nil where it found nothing.
func hiddenScores(ctx context.Context, v *read.Values, found []similarity.Evidence) (*LayerScores, error) {
	for _, t := range v.Towers {
		ran := false
		for _, e := range found {
			ran = ran || e.Test == verdict.HeldOutAgreement && e.Tower == t.B.Name && e.Skipped == "" && e.Effect > clearly
		}
		if !ran {
			continue
		}
		s, err := mlp.Read(ctx, v.Pair, t)
		if err != nil || len(s.A) < 2 {
			return nil, err
		}
		out := &LayerScores{Tower: t.B.Name, How: verdict.HeldOutAgreement, Coordinates: OtherLayers}
		out.Counts, out.Units = tokenfree.CrossScores(ctx, s.A, s.B, &tokenfree.Options{Seed: v.Seed})
		for _, l := range s.Layers {
			out.A, out.B = append(out.A, t.A.Layers[l.A].Index), append(out.B, t.B.Layers[l.B].Index)
		}
		return out, ctx.Err()
	}
	return nil, nil
}
