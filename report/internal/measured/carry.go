package measured

import (
	"context"

	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/carry"
)

// Why there is no carry.
const (
	whenCarry = "it is measured where both files are read whole: weightprint compare A B --depth full --budget full"
	sameCarry = "the values of both are the same"
)

// Carry measures how much of each subject's output rests on what agrees, where
// everything is read. It is also asked where no relation was found: sets of planted
// units can switch the tests' guards off.
func Carry(ctx context.Context, v *read.Values, found verdict.Facts, policy verdict.Policy) (*verdict.Carry, error) {
	if !v.Extent.Deep || !v.Whole {
		return verdict.NewCarry(nil, whenCarry), nil
	}
	if rel := policy.Decide(found).Relation; rel == verdict.Identical || rel == verdict.Reencoded {
		return verdict.NewCarry(nil, sameCarry), nil
	}
	var models [2]*forward.Model
	for i, net := range v.Networks() {
		m, err := forward.New(net, v.Sides[i].Model.Metadata())
		if err != nil {
			return verdict.NewCarry(nil, verdict.Side(i)+": "+err.Error()), nil
		}
		models[i] = m
	}
	measured, err := carry.Pair(ctx, v.Pair, models[0], models[1])
	if err != nil {
		return nil, err
	}
	return verdict.NewCarry(measured, ""), nil
}
