package report

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// byShape looks once more at subjects whose names say nothing and in which nothing was
// found so far, with roles that their shapes tell. What is found then counts, after a
// correction for both looks and for the choice of a reading. Finding nothing clears
// nobody: shapes may have told the wrong roles.
func (r *run) byShape(ctx context.Context) error {
	if r.shaped || r.o.Depth == Quick || r.facts.HasContent() {
		return nil
	}
	q, ways, err := r.read(ctx)
	if err != nil || q == nil {
		return err
	}
	q.facts.Readings, q.facts.Spent = ways, r.facts.ExactTests()
	if err := q.ready(ctx); err != nil {
		return err
	}
	if err := q.tests(ctx); err != nil {
		return err
	}
	if q.facts.HasContent() {
		*r = *q
	}
	return nil
}

// hasMLP tells whether names tell the parts of some layer's MLP. Where they do not, they
// hide what every test of hidden units rests on.
func hasMLP(n *roles.Network) bool {
	return slices.ContainsFunc(n.Towers, func(t *roles.Tower) bool {
		return slices.ContainsFunc(t.Layers, func(l *roles.Layer) bool { return len(l.MLPs()) > 0 })
	})
}

// read gives both subjects the roles that their shapes tell where their names do not,
// and tells in how many ways they could have been read; nil where there is nothing to
// tell.
func (r *run) read(ctx context.Context) (*run, int, error) {
	q := &run{o: r.o, in: r.in, models: r.models, digests: r.digests, whole: r.whole, shaped: true}
	subjects := [2]*align.Subject{r.pair.A, r.pair.B}
	var open [2][]*roles.Network
	for i, s := range subjects {
		c := *s
		subjects[i] = &c
		if net := roles.Map(c.Rows); hasMLP(net) {
			open[i] = []*roles.Network{net}
			continue
		}
		if open[i] = roles.ByShape(c.Rows); len(open[i]) == 0 {
			return nil, 0, nil
		}
		q.warn = append(q.warn, verdict.Side(i)+": names of tensors say nothing of their roles; these were taken from shapes")
	}
	if len(q.warn) == 0 {
		return nil, 0, nil
	}
	x, y, err := layers.ChooseReading(ctx, r.pair, open[0], open[1])
	if err != nil {
		return nil, 0, err
	}
	subjects[0].Net, subjects[1].Net = open[0][x], open[1][y]
	q.pair = align.NewPair(subjects[0], subjects[1], r.pair.Seed, r.pair.Budget)
	q.pair.Deep = r.pair.Deep
	return q, len(open[0]) * len(open[1]), nil
}
