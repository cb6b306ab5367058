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
// the second the mean cosine of matched units.
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
	share.Skipped = s.Why
	if s.Why == "" {
		a, joinedA := rejoined(s.A)
		b, joinedB := rejoined(s.B)
		r := tokenfree.CrossFit(a, b, &tokenfree.Options{Seed: p.Seed})
		share.Statistic, share.N, share.Effect = float64(r.Agree), r.Tested, r.Share()
		cosine.Statistic, cosine.N, cosine.Effect = r.Cosine, r.Tested, r.Cosine
		if r.Tested == 0 {
			share.Skipped = "no unit could be tested"
		}
		for i, joined := range []int{joinedA, joinedB} {
			if joined > 0 {
				share.Warnings = append(share.Warnings, fmt.Sprintf("%d units of %s open together with others and were put together", joined, []string{"A", "B"}[i]))
			}
		}
		if share.Skipped == "" {
			return append([]similarity.Evidence{share, cosine}, heldOutLayers(share, t, s, r)...), nil
		}
	}
	cosine.Skipped = share.Skipped
	return []similarity.Evidence{share, cosine}, nil
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

// heldOutLayers repeats the agreement layer by layer.
func heldOutLayers(all similarity.Evidence, t align.TowerPair, s *mlp.Stacks, r *tokenfree.Result) (out []similarity.Evidence) {
	for i, l := range r.Layers {
		e := all
		a, b := t.A.Layers[s.Layers[i].A].Index, t.B.Layers[s.Layers[i].B].Index
		e.Axis, e.LayerA, e.LayerB, e.Warnings = fmt.Sprintf("layers.%d.mlp (token-free)", b), a, b, nil
		e.Statistic, e.N, e.Effect = float64(l.Agree), l.Tested, float64(l.Agree)/float64(max(1, l.Tested))
		out = append(out, e)
	}
	return out
}
