package architecture

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

// Measure describes the first tower of a pair; further towers are judged as
// components only. sources names the layer of A that each layer of B was found
// to come from, -1 for none; it is empty when layers were not tested. What the
// pair's budget does not allow is left out, and errors are those of reading.
func Measure(ctx context.Context, p *align.Pair, sources []int) (*Shape, error) {
	s := &Shape{Sources: sources}
	if len(p.Towers) == 0 {
		return s, nil
	}
	t := p.Towers[0]
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
		if s.FlatGains[i], err = flatGains(ctx, p, x); err != nil {
			return nil, err
		}
		if s.Rescaled[i], err = rescaled(ctx, p, x); err != nil {
			return nil, err
		}
	}
	if err := s.added(ctx, p, t); err != nil {
		return nil, err
	}
	if err := s.grown(ctx, p, t); err != nil {
		return nil, err
	}
	s.HeadsMoved = HeadsMoved(t)
	s.Imbalance = imbalance(p)
	return s, nil
}

// imbalance is the median over all axes that were read.
func imbalance(p *align.Pair) (out [2]float64) {
	var sides [2][]float64
	for look := range axis.Stages() {
		for _, x := range axis.Loaded(p, look) {
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

func flatGains(ctx context.Context, p *align.Pair, t *roles.Tower) (bool, error) {
	seen := false
	for _, l := range t.Layers {
		for _, v := range []*roles.Vector{l.AttnNorm, l.MLPNorm} {
			if v == nil {
				continue
			}
			if !p.ReserveVectors(v, nil) {
				return false, nil
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

// LookForMovedRows probes whether vocabulary rows of B lie at other rows in A. It is
// asked only where the rest of the networks is alike and the embeddings are
// not, cosine being that of the embeddings row by row, and where A's embedding
// may be read. It returns errors of reading.
func (s *Shape) LookForMovedRows(ctx context.Context, p *align.Pair, cosine float64) error {
	if len(p.Towers) == 0 {
		return nil
	}
	t := p.Towers[0]
	a, b := t.A.Embedding, t.B.Embedding
	if a == nil || b == nil || a.Cols != b.Cols || cosine > rowsAlike || p.Reserve(a.Cost(a.Rows), 1) == 0 {
		return nil
	}
	share, err := delta.Moved(ctx, a, b, p.Seed)
	s.Shuffled = share
	return err
}
