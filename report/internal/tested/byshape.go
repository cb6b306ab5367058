package tested

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// byShape looks once more at subjects whose names say nothing, or not of all that stands
// there, and in which nothing was found so far, or nothing that shows what training
// learned: with roles that their shapes tell, and then with roles that the values of
// scattered matrices tell. What is found then counts, after a correction for all looks and
// for the choice of a reading. Finding nothing clears nobody: the roles may be wrong.
func (r *trial) byShape(ctx context.Context) error {
	level := r.policy.Level()
	if r.shaped || r.Extent.Quick {
		return nil
	}
	ways, spent := 0, r.Facts.ExactTests()
	for _, tell := range []teller{r.inBlocks, r.scattered} {
		if r.Facts.HasContent() && !r.Facts.LearnedOpen(level) {
			return nil
		}
		values, n, err := r.told(ctx, tell)
		if err != nil {
			return err
		}
		if values == nil {
			continue
		}
		ways += n
		q := &trial{Values: values, Tests: Tests{Facts: r.known}, known: r.known, policy: r.policy, shaped: true}
		q.Facts.Readings, q.Facts.Spent = ways, spent
		if err := q.run(ctx); err != nil {
			return err
		}
		if q.Facts.HasContent() && (!r.Facts.HasContent() || !q.Facts.LearnedOpen(level)) {
			*r.Values, r.Tests = *q.Values, q.Tests
		}
	}
	return nil
}

// teller gives all ways in which the roles of a subject may be read, and says by what;
// none where it cannot tell.
type teller func(ctx context.Context, rows tensor.Model) ([]*roles.Network, string, error)

// inBlocks tells roles by shapes that return, where names tell none.
func (r *trial) inBlocks(_ context.Context, rows tensor.Model) ([]*roles.Network, string, error) {
	if hasMLP(roles.Map(rows)) {
		return nil, "", nil
	}
	return roles.ByShape(rows), "names of tensors say nothing of their roles; these were taken from shapes", nil
}

// scattered tells which matrices are of one layer by their values.
func (r *trial) scattered(ctx context.Context, rows tensor.Model) ([]*roles.Network, string, error) {
	nets, err := layers.Assemble(ctx, r.Pair, roles.ScatteredOf(rows))
	return nets, "names of tensors say nothing of their roles; these were taken from shapes, and which are of one layer from their values", err
}

// hasMLP tells whether names tell the parts of some layer's MLP. Where they do not, they
// hide what every test of hidden units rests on.
func hasMLP(n *roles.Network) bool {
	return slices.ContainsFunc(n.Towers, func(t *roles.Tower) bool {
		return slices.ContainsFunc(t.Layers, func(l *roles.Layer) bool { return len(l.MLPs()) > 0 })
	})
}

// told gives both subjects the roles that are told where their names do not tell all, and
// says in how many ways they could have been read; nil where there is nothing to tell.
func (r *trial) told(ctx context.Context, tell teller) (*read.Values, int, error) {
	subjects := [2]*align.Subject{r.A, r.B}
	var open [2][]*roles.Network
	var notes []string
	for i, s := range subjects {
		c := *s
		subjects[i] = &c
		nets, by, err := tell(ctx, c.Rows)
		if err != nil {
			return nil, 0, err
		}
		if open[i] = nets; len(nets) > 0 {
			notes = append(notes, verdict.Side(i)+": "+by)
		} else if named := roles.Map(c.Rows); hasMLP(named) {
			open[i] = []*roles.Network{named}
		} else {
			return nil, 0, nil
		}
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
