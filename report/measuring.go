package report

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/delta"
)

// storage compares values in the same role: all of them where everything is
// read, some rows of each matrix where a relation was found.
func (r *run) storage(ctx context.Context) error {
	if !r.whole && !r.related() {
		return nil
	}
	if err := r.shape(ctx); err != nil {
		return err
	}
	r.pair.Release()
	m := r.pair.Match()
	rows := 0
	if !r.whole {
		if n := r.pair.VectorsWithin(m); n > 0 {
			r.warn = append(r.warn, fmt.Sprintf("%d vectors were not read: they do not fit the budget", n))
		}
		var dropped int
		if rows, dropped = r.pair.RowsWithin(m, delta.Cost); dropped > 0 {
			r.warn = append(r.warn, fmt.Sprintf("values of %d matrices were not compared: they do not fit the budget", dropped))
		}
	}
	changes, shapes, err := delta.Compare(ctx, m, r.pair.Seed, delta.Options{Rows: rows})
	if err != nil {
		return err
	}
	r.facts.Storage = verdict.Storage{Changes: changes, Shapes: shapes, OnlyA: m.OnlyA, OnlyB: m.OnlyB, Complete: r.whole, Renamed: renamed(r.in), InOrder: r.inOrder(), Values: r.values()}
	if err := r.equal(ctx); err != nil {
		return err
	}
	if !r.related() {
		return nil
	}
	if r.facts.BatchNorms, err = delta.FindBatchNorms(ctx, r.pair, m, changes); err != nil {
		return err
	}
	if r.facts.Spectra, err = delta.Spectra(ctx, r.pair, m, changes, r.whole); err != nil {
		return err
	}
	if err := r.facts.Shape.LookAtQueries(ctx, r.pair, r.facts.RoleCosine(".attn.q")); err != nil {
		return err
	}
	return r.facts.Shape.LookForMovedRows(ctx, r.pair, r.embeddingCosine())
}

// inOrder tells whether every layer of either subject is held against the one at
// its own place.
func (r *run) inOrder() bool {
	for _, t := range r.pair.Towers {
		if len(t.Layers) != len(t.A.Layers) || len(t.Layers) != len(t.B.Layers) {
			return false
		}
		for _, l := range t.Layers {
			if l.A != l.B {
				return false
			}
		}
	}
	return true
}

// values is the number of values of the larger subject.
func (r *run) values() (n float64) {
	for _, in := range r.in {
		sum := 0.0
		for _, t := range in.Model.Tensors() {
			sum += float64(t.Len())
		}
		n = max(n, sum)
	}
	return n
}

// shape measures how the architectures of the two differ.
func (r *run) shape(ctx context.Context) error {
	var sources []int
	if len(r.pair.Towers) > 0 {
		sources = r.sources(r.pair.Towers[0])
	}
	s, err := architecture.Measure(ctx, r.pair, sources)
	if err == nil {
		r.facts.Shape = *s
	}
	return err
}

// embeddingCosine is the cosine of the embeddings row by row, 1 if unknown.
func (r *run) embeddingCosine() float64 {
	for i := range r.facts.Storage.Changes {
		if c := &r.facts.Storage.Changes[i]; c.Component == "embeddings" {
			return c.Stats.Cosine()
		}
	}
	return 1
}

// renamed tells whether container, shards, names or the packing of both differ.
func renamed(in [2]Input) bool {
	if in[0].Format != in[1].Format {
		return true
	}
	if a, b := in[0].Checkpoint, in[1].Checkpoint; a != nil && b != nil {
		if len(a.Files()) != len(b.Files()) || a.Layout != "" && b.Layout != "" && a.Layout != b.Layout {
			return true
		}
	}
	for _, t := range in[0].Model.Tensors() {
		if _, ok := in[1].Model.Tensor(t.Name); !ok {
			return true
		}
	}
	return len(in[0].Model.Tensors()) != len(in[1].Model.Tensors())
}
