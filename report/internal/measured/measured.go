// Package measured is the stage of a comparison that compares values role by role:
// how they are stored, by what they differ, which layers and units come from where,
// how much of each output rests on what agrees. It draws up the figures of pictures, too.
package measured

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Measures is what a comparison of values found.
type Measures struct {
	Facts   verdict.Facts // that were given, with what was measured
	Related bool          // anything was found
	LeftOut []string      // what the budget did not allow, in words
	Layers  []Layer
	Maps    []read.UnitMap // what became of units where the two sides have different numbers of them
}

// measuring is the stage under way.
type measuring struct {
	*read.Values
	Measures
	policy verdict.Policy
}

// From measures values, beside what the tests have found.
func From(ctx context.Context, v *read.Values, found verdict.Facts, policy verdict.Policy) (*Measures, error) {
	m := &measuring{Values: v, Measures: Measures{Facts: found}, policy: policy}
	if err := m.storage(ctx); err != nil {
		return nil, err
	}
	m.Related, m.Layers, m.Maps = m.related(), m.layers(), m.maps()
	return &m.Measures, nil
}

// related tells whether anything was found.
func (m *measuring) related() bool {
	p, e := m.Facts.Best(verdict.Any)
	return e != nil && p <= m.policy.Level() || m.Facts.Channels(verdict.Controls()).Found()
}

// storage compares values in the same role: all of them where everything is
// read, some rows of each matrix where a relation was found.
func (m *measuring) storage(ctx context.Context) error {
	if !m.Whole && !m.related() {
		return nil
	}
	if err := m.shape(ctx); err != nil {
		return err
	}
	m.Release()
	matches := m.Match()
	rows := m.rows(matches)
	changes, shapes, err := delta.Compare(ctx, matches, m.Seed, delta.Options{Rows: rows})
	if err != nil {
		return err
	}
	names, only := lone(m.Pair, matches)
	m.Facts.Storage = verdict.Storage{Changes: changes, Shapes: shapes, OnlyA: only[0], OnlyB: only[1], Lone: names, Complete: m.Whole, Renamed: m.Renamed(), InOrder: m.InOrder(), Values: m.Count()}
	if err := m.equal(ctx); err != nil {
		return err
	}
	if !m.related() {
		return nil
	}
	if m.Facts.BatchNorms, err = delta.FindBatchNorms(ctx, m.Pair, matches, changes); err != nil {
		return err
	}
	if m.Facts.Spectra, err = delta.Spectra(ctx, m.Pair, matches, changes, m.Whole); err != nil {
		return err
	}
	if err := m.Facts.Shape.LookAtQueries(ctx, m.Pair, m.Facts.RoleCosine(".attn.q")); err != nil {
		return err
	}
	return m.Facts.Shape.LookForMovedRows(ctx, m.Pair, m.embeddingCosine())
}

// rows is how many rows of each matrix the budget allows to compare, 0 for all. What
// it leaves out is said.
func (m *measuring) rows(matches *align.Matching) (rows int) {
	if m.Whole {
		return 0
	}
	if n := m.VectorsWithin(matches); n > 0 {
		m.LeftOut = append(m.Warnings, fmt.Sprintf("%d vectors were not read: they do not fit the budget", n))
	}
	rows, dropped := m.RowsWithin(matches, delta.Cost)
	if dropped > 0 {
		m.LeftOut = append(m.Warnings, fmt.Sprintf("values of %d matrices were not compared: they do not fit the budget", dropped))
	}
	return rows
}

// equal asks for equal values under other roles, unless the roles have shown them.
func (m *measuring) equal(ctx context.Context) error {
	if s := &m.Facts.Storage; s.Same() && s.InOrder {
		return nil
	}
	equal, err := m.Equal(ctx)
	if equal != nil {
		m.Facts.Equality = equal.Sum
	}
	return err
}

// shape measures how the architectures of the two differ.
func (m *measuring) shape(ctx context.Context) error {
	var sources []int
	if len(m.Towers) > 0 {
		sources = m.sources(m.Towers[0])
	}
	s, err := architecture.Measure(ctx, m.Pair, sources)
	if err == nil {
		m.Facts.Shape = *s
	}
	return err
}

// embeddingCosine is the cosine of the embeddings row by row, 1 if unknown.
func (m *measuring) embeddingCosine() float64 {
	for i := range m.Facts.Storage.Changes {
		if c := &m.Facts.Storage.Changes[i]; c.Component == "embeddings" {
			return c.Stats.Cosine()
		}
	}
	return 1
}
