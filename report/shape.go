package report

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Shape is how the architectures of two subjects differ, A's number first.
type Shape struct {
	Hidden, Layers, Width, KVHeads, Experts, Vocabulary [2]int

	Sources    []int          // layer of A found for each layer of B, -1 for none; empty when layers were not tested
	Shuffled   float64        // share of the probed vocabulary rows of B found at another row of A
	Added      [2]delta.Added // how the rows of a subject's vocabulary look that the other one lacks
	Copied     [2]bool        // MLP units stand in a subject more than once
	HeadsTwice [2]bool        // and KV heads
	Untrained  []int          // layers of the deeper subject without a source that hold nothing learned
	HeadsMoved bool           // heads of B stand at other places than in A
	Rescaled   [2]bool        // norm gains were multiplied against the matrices behind them
	FlatGains  [2]bool        // all norm gains of a subject are equal, as when they were folded away
	Imbalance  [2]float64     // of gate and up in the MLPs' units, median over layers; 0 where there are not both
	Untied     [2]bool        // the head is stored apart from the embedding
}

// shape describes the first tower of the pair; further towers are judged as
// components only.
func (r *run) shape(ctx context.Context) error {
	if len(r.pair.Towers) == 0 {
		return nil
	}
	t := r.pair.Towers[0]
	s := &r.facts.Shape
	for i, x := range []*roles.Tower{t.A, t.B} {
		s.Hidden[i], s.Layers[i] = x.Hidden, len(x.Layers)
		if x.Embedding != nil {
			s.Vocabulary[i] = x.Embedding.Rows
		}
		s.Untied[i] = x.Head != nil
		if len(x.Layers) > 0 {
			l := x.Layers[0]
			s.Experts[i] = len(l.MLPs())
			if s.Experts[i] > 0 {
				s.Width[i] = l.MLPs()[0].Width()
			}
			if l.V != nil && x.HeadDim > 0 {
				s.KVHeads[i] = l.V.Rows / x.HeadDim
			}
		}
		var err error
		if s.FlatGains[i], err = flatGains(ctx, x); err != nil {
			return err
		}
		if s.Rescaled[i], err = r.rescaled(ctx, x); err != nil {
			return err
		}
	}
	if err := r.added(ctx, t); err != nil {
		return err
	}
	s.Sources = r.sources(t)
	if err := r.grown(ctx, t); err != nil {
		return err
	}
	s.HeadsMoved = headsMoved(t)
	s.Imbalance = r.imbalance()
	return nil
}

// imbalance is the median over all axes that were read.
func (r *run) imbalance() (out [2]float64) {
	var sides [2][]float64
	for look := range axis.Stages() {
		for _, x := range axis.Loaded(r.pair, look) {
			if x.Imbalance != nil && x.Coordinates == "raw" {
				for i, v := range x.Imbalance {
					sides[i] = append(sides[i], v)
				}
			}
		}
	}
	for i, v := range sides {
		if len(v) > 0 {
			slices.Sort(v)
			out[i] = v[len(v)/2]
		}
	}
	return out
}

// sources lists the layer of A that each layer of B was found to come from.
func (r *run) sources(t align.TowerPair) []int {
	found := r.layers()
	if len(found) == 0 {
		return nil
	}
	out := make([]int, len(t.B.Layers))
	for b := range out {
		out[b] = -1
		i := slices.IndexFunc(found, func(l Layer) bool { return l.Tower == t.B.Name && l.B == t.B.Layers[b].Index })
		if i >= 0 && found[i].A != nil {
			out[b] = *found[i].A
		}
	}
	return out
}

func flatGains(ctx context.Context, t *roles.Tower) (bool, error) {
	seen := false
	for _, l := range t.Layers {
		for _, v := range []*roles.Vector{l.AttnNorm, l.MLPNorm} {
			if v == nil {
				continue
			}
			x, err := v.Read(ctx)
			if err != nil {
				return false, err
			}
			seen = true
			if slices.Min(x) != slices.Max(x) {
				return false, nil
			}
		}
	}
	return seen, nil
}

// SpectrumOf is the spectrum of one role.
type SpectrumOf struct {
	Role      string
	Component string
	*delta.Spectrum
}

// spectra describes the differences of matrices in the same role: of all of
// them where everything is read, of a few spread ones otherwise.
func (r *run) spectra(ctx context.Context, m *align.Matching) error {
	var differ []align.MatrixPair
	for _, p := range m.Matrices {
		for i := range r.facts.Storage.Changes {
			c := &r.facts.Storage.Changes[i]
			if st, _ := c.Storage(); c.Role == p.B.Role && st == delta.Different && p.Component != "embeddings" && p.A.Rows == p.B.Rows && p.A.Cols == p.B.Cols {
				differ = append(differ, p)
			}
		}
	}
	n, rows := 64, 256
	if !r.whole {
		n, rows = 6, 96
	}
	for _, i := range align.Spread(len(differ), n) {
		p := differ[i]
		rows := min(rows, p.B.Rows)
		if r.pair.Reserve(max(p.A.Cost(rows), p.B.Cost(rows)), 1) == 0 {
			break
		}
		s, err := delta.Measure(ctx, p, r.pair.Seed, rows)
		if err != nil {
			return err
		}
		r.facts.Spectra = append(r.facts.Spectra, SpectrumOf{p.B.Role, p.Component, s})
	}
	return nil
}

// shuffled probes whether vocabulary rows of B lie at other rows in A. It is
// asked only where the rest of the networks is alike and the embeddings are
// not, and where A's embedding may be read.
func (r *run) shuffled(ctx context.Context) error {
	if len(r.pair.Towers) == 0 {
		return nil
	}
	t := r.pair.Towers[0]
	a, b := t.A.Embedding, t.B.Embedding
	if a == nil || b == nil || a.Cols != b.Cols || r.embeddingCosine() > 0.5 || r.pair.Reserve(a.Cost(a.Rows), 1) == 0 {
		return nil
	}
	share, err := delta.Moved(ctx, a, b, r.pair.Seed)
	r.facts.Shape.Shuffled = share
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
