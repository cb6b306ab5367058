package tested

import (
	"context"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/relabel"
	"github.com/weightprint/weightprint/similarity/suite"
)

// relabelled looks at matrices of unknown role once more, with B's units in the order
// of A's, where labels and content have shown nothing: the order of hidden units is
// free, so a copy may have any.
func (r *trial) relabelled(ctx context.Context) error {
	if logp, _ := r.Facts.Best(verdict.Any); r.Extent.Quick || logp <= r.policy.Level() || r.Facts.HasContent() {
		return nil
	}
	q, moved, err := relabel.Pair(ctx, r.Pair)
	if err != nil || q == nil {
		return err
	}
	r.Facts.Moved = verdict.Moved(moved)
	found, err := similarity.Run(ctx, q, suite.Relabelled())
	if err != nil {
		return err
	}
	for _, e := range verdict.Sound(found) {
		if e.Component != "generic" {
			continue
		}
		e.Axis = strings.TrimSuffix(e.Axis, " (raw)") + verdict.Relabelled
		r.Facts.Evidence = append(r.Facts.Evidence, e)
		r.Looks = append(r.Looks, r.Taken-1)
	}
	return nil
}
