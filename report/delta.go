package report

import (
	"github.com/weightprint/weightprint/report/internal/measured"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/delta"
)

// values sums up the comparison of values, nil where nothing is to be said.
func values(s *verdict.Storage, m *measured.Measures, h *measured.Histogram) *Delta {
	if len(s.Changes) == 0 && (len(m.Maps) == 0 || !m.Related) {
		return nil
	}
	d := &Delta{Complete: s.Complete, Tensors: len(s.Changes), Types: s.Types(), OnlyA: nonNil(s.OnlyA), OnlyB: nonNil(s.OnlyB), Shapes: nonNil(s.Shapes), Maps: []UnitMap{}}
	var all delta.Stats
	for i := range s.Changes {
		c := &s.Changes[i]
		all.Merge(&c.Stats)
		switch st, _ := c.Storage(); st {
		case delta.Equal:
			d.Equal++
		case delta.Cast:
			d.Cast++
		case delta.Quantised:
			d.Quantised++
		default:
			d.Different++
		}
	}
	if d.Types == nil {
		d.Types = []verdict.TypeChange{}
	}
	for _, u := range m.Maps {
		d.Maps = append(d.Maps, UnitMap(u))
	}
	d.Relative, d.Cosine = verdict.Number(all.Relative()), verdict.Number(all.Cosine())
	if all.Cosine() > verdict.Correspond {
		d.Histogram = (*Histogram)(h)
	}
	return d
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
