package calibrated

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// nullHeldOut is the null of the agreement in layers that no basis was fitted to.
const nullHeldOut = "two independently trained networks agree on units, in layers that took no part in finding a common basis, no more than the control population does"

// HeldOut counts the hidden units that find the same partner through two
// groups of views in layers that the common basis was not fitted to; the first
// match comes from quantities that depend on no basis, label or token (package
// tokenfree). The first result has the share of agreeing units as its effect,
// the second the mean cosine of matched units, beside the most that a rotation
// aimed at all these layers brings strangers to (the statistic).
func HeldOut() *similarity.Test {
	return &similarity.Test{Name: "held-out-agreement", Doc: "units that agree under a basis found in other layers", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := heldOut(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e...)
		}
		return out, nil
	}}
}

func heldOut(ctx context.Context, p *align.Pair, t align.TowerPair) ([]similarity.Evidence, error) {
	share, cosine := evidence("held-out-agreement", "mlp (token-free)", t), evidence("held-out-cosine", "mlp (token-free)", t)
	share.Component, cosine.Component = "mlp", "mlp"
	share.Null, cosine.Null = nullHeldOut, nullHeldOut
	s, err := mlp.Read(ctx, p, t)
	if err != nil {
		return nil, err
	}
	found, err := agreed(ctx, p, t, s)
	if err != nil {
		return nil, err
	}
	if found == nil {
		share.Skipped, cosine.Skipped = s.Why, s.Why
		return []similarity.Evidence{share, cosine}, nil
	}
	r := found.result
	share.Statistic, share.N, share.Effect, share.Warnings = float64(r.Agree), r.Tested, r.Share(), found.notes
	_, reach := tokenfree.Ceiling(min(t.A.Hidden, t.B.Hidden), r.Tested/max(1, len(r.Layers)), len(r.Layers))
	cosine.Statistic, cosine.N, cosine.Effect = reach, r.Tested, r.Cosine
	if r.Tested == 0 {
		share.Skipped, cosine.Skipped = "no unit could be tested", "no unit could be tested"
	}
	return append([]similarity.Evidence{share, cosine}, found.byLayer(share, t)...), nil
}

// rejoined puts units together that open together, so that a unit that was
// split meets the one it was split from.
func rejoined(blocks []mlp.Block) (out []mlp.Block, joined int) {
	for _, b := range blocks {
		b, n := mlp.Rejoined(b)
		out, joined = append(out, b), joined+n
	}
	return out, joined
}

// byLayer repeats the agreement layer by layer.
func (g *agreement) byLayer(all similarity.Evidence, t align.TowerPair) (out []similarity.Evidence) {
	for i, l := range g.result.Layers {
		e := all
		e.LayerA, e.LayerB = t.A.Layers[g.layers[i].A].Index, t.B.Layers[g.layers[i].B].Index
		e.Axis, e.Warnings = fmt.Sprintf("layers.%d.mlp (token-free)", e.LayerB), nil
		e.Statistic, e.N, e.Effect = float64(l.Agree), l.Tested, float64(l.Agree)/float64(max(1, l.Tested))
		out = append(out, e)
	}
	return out
}
