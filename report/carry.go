package report

import (
	"context"

	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/carry"
)

// Why there is no carry.
const (
	whenCarry = "it is measured where both files are read whole: weightprint compare A B --depth full --budget full"
	sameCarry = "the values of both are the same"
)

// carry measures how much of each subject's output rests on what agrees, where
// everything is read. It is also asked where no relation was found: sets of planted
// units can switch the tests' guards off.
func (r *run) carry(ctx context.Context) error {
	if r.o.Depth != Deep || !r.whole {
		r.facts.Carry = verdict.NewCarry(nil, whenCarry)
		return nil
	}
	if rel := r.o.Policy.Decide(r.facts).Relation; rel == verdict.Identical || rel == verdict.Reencoded {
		r.facts.Carry = verdict.NewCarry(nil, sameCarry)
		return nil
	}
	var models [2]*forward.Model
	for i, net := range r.networks() {
		m, err := forward.New(net, r.in[i].Model.Metadata())
		if err != nil {
			r.facts.Carry = verdict.NewCarry(nil, verdict.Side(i)+": "+err.Error())
			return nil
		}
		models[i] = m
	}
	found, err := carry.Pair(ctx, r.pair, models[0], models[1])
	if err != nil {
		return err
	}
	r.facts.Carry = verdict.NewCarry(found, "")
	return nil
}
