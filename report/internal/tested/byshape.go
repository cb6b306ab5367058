package tested

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// byShape looks once more at subjects whose names say nothing and in which nothing was
// found so far, or nothing that shows what training learned, with roles that their shapes
// tell. What is found then counts, after a correction for both looks and for the choice
// of a reading. Finding nothing clears nobody: shapes may have told the wrong roles.
func (r *trial) byShape(ctx context.Context) error {
	level := r.policy.Level()
	if r.shaped || r.Extent.Quick || r.Facts.HasContent() && !r.Facts.LearnedOpen(level) {
		return nil
	}
	values, ways, err := r.shapes(ctx)
	if err != nil || values == nil {
		return err
	}
	q := &trial{Values: values, Tests: Tests{Facts: r.known}, known: r.known, policy: r.policy, shaped: true}
	q.Facts.Readings, q.Facts.Spent = ways, r.Facts.ExactTests()
	if err := q.run(ctx); err != nil {
		return err
	}
	if q.Facts.HasContent() && (!r.Facts.HasContent() || !q.Facts.LearnedOpen(level)) {
		*r.Values, r.Tests = *q.Values, q.Tests
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

// shapes gives both subjects the roles that their shapes tell where their names do not,
// and tells in how many ways they could have been read; nil where there is nothing to
// tell.
func (r *trial) shapes(ctx context.Context) (*read.Values, int, error) {
	subjects := [2]*align.Subject{r.A, r.B}
	var open [2][]*roles.Network
	var notes []string
	for i, s := range subjects {
		c := *s
		subjects[i] = &c
		if net := roles.Map(c.Rows); hasMLP(net) {
			open[i] = []*roles.Network{net}
			continue
		}
		notes = append(notes, verdict.Side(i)+": names of tensors say nothing of their roles; these were taken from shapes")
		if open[i] = roles.ByShape(c.Rows); len(open[i]) > 0 {
			continue
		}
		var err error
		if open[i], err = layers.Assemble(ctx, r.Pair, roles.ScatteredOf(c.Rows)); err != nil || len(open[i]) == 0 {
			return nil, 0, err
		}
		notes[len(notes)-1] += ", and which are of one layer from their values"
	}
	if len(notes) == 0 {
		return nil, 0, nil
	}
	x, y, err := layers.ChooseReading(ctx, r.Pair, open[0], open[1])
	if err != nil {
		return nil, 0, err
	}
	subjects[0].Net, subjects[1].Net = open[0][x], open[1][y]
	pair := align.NewPair(subjects[0], subjects[1], r.Seed, r.Pair.Budget)
	pair.Deep = r.Pair.Deep
	values, err := read.Once(ctx, &planned.Plan{Pairing: &aligned.Pairing{Pair: pair, Sides: r.Sides}, Extent: r.Extent, Whole: r.Whole})
	if err != nil {
		return nil, 0, err
	}
	values.Warnings = append(notes, values.Warnings...)
	return values, len(open[0]) * len(open[1]), nil
}
