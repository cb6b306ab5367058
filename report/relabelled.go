package report

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
func (r *run) relabelled(ctx context.Context) error {
	if logp, _ := r.facts.Best(verdict.Any); r.o.Depth == Quick || logp <= r.o.Policy.Level() || r.facts.HasContent() {
		return nil
	}
	q, moved, err := relabel.Pair(ctx, r.pair)
	if err != nil || q == nil {
		return err
	}
	r.facts.Moved = verdict.Moved(moved)
	found, err := similarity.Run(ctx, q, suite.Relabelled())
	if err != nil {
		return err
	}
	for _, e := range verdict.Sound(found) {
		if e.Component != "generic" {
			continue
		}
		e.Axis = strings.TrimSuffix(e.Axis, " (raw)") + verdict.Relabelled
		r.facts.Evidence = append(r.facts.Evidence, e)
		r.looks = append(r.looks, r.taken-1)
	}
	return nil
}
