// Package learned holds the tests that tell a shared random initialisation
// from derivation. Units of two networks grown from one seed stay alike for
// ever, so every test on units finds them; what training added to them (the
// leading directions of their matrices, the gains of their norms) is each
// network's own. The tests are calibrated: they are held against same-seed
// networks trained on different data, and used only where an exact test has
// found a relation.
package learned

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
)

const null = "the two networks share their random initialisation and nothing that training learned"

// Tests lists the tests of a look.
func Tests(look int) []*similarity.Test {
	return []*similarity.Test{
		{Name: "leading-directions", Doc: "share of one network's leading directions found in the other", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
			axes, err := p.Axes(ctx, look)
			if err != nil {
				return nil, err
			}
			return leads(axes), nil
		}},
		{Name: "gains", Doc: "correlation of norm gains around their mean", Tier: similarity.Calibrated, Run: gains},
	}
}

// leads sums up what the axes of each component show: Statistic is the median
// share of the leading directions, Effect its ratio to the share of the
// middle ones.
func leads(axes []*similarity.Axis) (out []similarity.Evidence) {
	type sums struct{ top, ratio []float64 }
	by := map[string]*sums{}
	for _, x := range axes {
		for _, v := range x.Views {
			d := v.Leads
			if d.N == 0 || d.Middle < 0.05 {
				continue
			}
			s := by[x.Component]
			if s == nil {
				s = &sums{}
				by[x.Component] = s
				out = append(out, similarity.Evidence{Test: "leading-directions", Axis: x.Component, Component: x.Component, Tower: x.Tower, LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: null})
			}
			s.top, s.ratio = append(s.top, d.Top), append(s.ratio, d.Top/d.Middle)
			out[slices.IndexFunc(out, func(e similarity.Evidence) bool { return e.Axis == x.Component })].N += d.N
		}
	}
	for i := range out {
		s := by[out[i].Axis]
		out[i].Statistic, out[i].Effect = median(s.top), median(s.ratio)
	}
	if len(out) == 0 {
		out = append(out, similarity.Evidence{Test: "leading-directions", Axis: "all", Component: "all", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: null, Skipped: "too few units correspond clearly"})
	}
	return out
}

func median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// gains correlates the norm gains of corresponding layers, each less its mean
// over the vector: all gains start at one, so only what training did is left.
func gains(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
	e := similarity.Evidence{Test: "gains", Axis: "norms", Component: "norms", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: null}
	var sum float64
	for _, t := range p.Towers {
		for _, v := range normPairs(t) {
			c, n, err := correlate(ctx, v[0], v[1])
			if err != nil {
				return nil, err
			}
			if n > 0 {
				sum += c
				e.N++
			}
		}
	}
	if e.N == 0 {
		e.Skipped = "no norm gains of one length that vary on both sides"
		return []similarity.Evidence{e}, nil
	}
	e.Statistic = sum / float64(e.N)
	e.Effect = e.Statistic
	return []similarity.Evidence{e}, nil
}

// normPairs lists the gains of corresponding norms.
func normPairs(t similarity.TowerPair) (out [][2]*roles.Vector) {
	add := func(a, b *roles.Vector) {
		if a != nil && b != nil && a.Len == b.Len {
			out = append(out, [2]*roles.Vector{a, b})
		}
	}
	for _, l := range t.Layers {
		a, b := t.A.Layers[l.A], t.B.Layers[l.B]
		add(a.AttnNorm, b.AttnNorm)
		add(a.MLPNorm, b.MLPNorm)
	}
	add(t.A.FinalNorm, t.B.FinalNorm)
	return out
}

func correlate(ctx context.Context, va, vb *roles.Vector) (c float64, n int, err error) {
	a, err := va.Read(ctx)
	if err != nil {
		return 0, 0, err
	}
	b, err := vb.Read(ctx)
	if err != nil {
		return 0, 0, err
	}
	c, ok := similarity.Correlation(a, b)
	if !ok {
		return 0, 0, nil
	}
	return c, len(a), nil
}
