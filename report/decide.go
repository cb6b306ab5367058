package report

import (
	"context"

	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
)

// decision is a verdict, with the subjects that it is about pinned and dated.
type decision struct {
	facts    verdict.Facts
	verdict  verdict.Verdict
	subjects [2]Subject
	held     *held
}

// decide pins both subjects, holds dates against them and draws the verdict. What
// only pinning reads is not counted as read.
func decide(ctx context.Context, x *opened, v *read.Values, f verdict.Facts) (*decision, error) {
	d := &decision{facts: f}
	compared := [2]int64{x.in[0].BytesRead(), x.in[1].BytesRead()}
	for i, in := range x.in {
		in.Model = v.Sides[i].Model
		s, err := in.pin(ctx, v.Whole, x.options.Pin || x.options.dated(), v.Digests(i))
		if err != nil {
			return nil, err
		}
		d.subjects[i] = s
	}
	var err error
	if d.held, err = x.date(ctx, v.Plan, &d.subjects); err != nil {
		return nil, err
	}
	d.facts.Dates = d.held.found
	d.verdict = x.options.Policy.Decide(d.facts)
	for i, in := range x.in {
		d.subjects[i].BytesRead = compared[i]
		if v.Whole {
			d.subjects[i].BytesRead = in.BytesRead()
		}
	}
	return d, nil
}
