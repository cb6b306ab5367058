package tested

import (
	"context"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/relabel"
	"github.com/weightprint/weightprint/similarity/suite"
)

// relabelled looks at matrices of unknown role once more: the order of hidden units and
// their scales are free, so a copy may have any. Where labels correspond, equal values
// are looked for up to scales; else with B's units in the order of A's.
func (r *trial) relabelled(ctx context.Context) (err error) {
	if r.Extent.Quick || r.Facts.HasEqualValues() {
		return nil
	}
	var q *align.Pair
	var moved relabel.Moved
	if logp, _ := r.Facts.Best(verdict.Any); logp <= r.policy.Level() || r.Facts.HasContent() {
		moved, err = relabel.Scaled(ctx, r.Pair)
	} else {
		q, moved, err = relabel.Pair(ctx, r.Pair)
	}
	r.Facts.Moved = verdict.Moved(moved)
	if err != nil || q == nil {
		return err
	}
	found, err := similarity.Run(ctx, q, suite.Relabelled())
	if err != nil {
		return err
	}
	for _, e := range verdict.Sound(found) {
		if e.Component != "generic" {
			continue
		}
		e.Axis, _, _ = strings.Cut(e.Axis, " (raw")
		e.Axis += verdict.Relabelled
		r.Facts.Evidence = append(r.Facts.Evidence, e)
		r.Looks = append(r.Looks, r.Taken-1)
	}
	return nil
}
