package carry

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

const (
	// heldValues is how many values of whole layers may be held at a time, 256 MiB.
	heldValues = 1 << 26
	// fittedLayers is in how many layers of wide networks a basis is looked for.
	fittedLayers = 4
	// wideLayer is the number of units from which a network is wide.
	wideLayer = 1024
)

// withoutTokens pairs the units of layers under a basis that is fitted to other
// layers, as package tokenfree finds it: a shuffled vocabulary does not hide from it.
// It returns nothing where fewer than two layers can be held.
func withoutTokens(ctx context.Context, p *align.Pair, t align.TowerPair, pairs []align.LayerPair) ([]Layer, error) {
	pairs = holdable(t, pairs)
	if len(pairs) < 2 {
		return nil, nil
	}
	var a, b []mlp.Block
	for _, l := range pairs {
		x, err := mlp.ReadLayer(ctx, t.A, l.A)
		if err != nil {
			return nil, err
		}
		y, err := mlp.ReadLayer(ctx, t.B, l.B)
		if err != nil {
			return nil, err
		}
		a, b = append(a, x), append(b, y)
	}
	r := tokenfree.CrossFit(ctx, a, b, &tokenfree.Options{Seed: p.Seed, Whole: true})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []Layer
	for i, l := range r.Layers {
		out = append(out, Layer{A: pairs[i].A, B: pairs[i].B, Units: l.Pairs})
	}
	return out, nil
}

// holdable is an even choice of as many layers as may be held.
func holdable(t align.TowerPair, pairs []align.LayerPair) (out []align.LayerPair) {
	size := func(tower *roles.Tower, layer int) int {
		p := tower.Layers[layer].MLPs()[0]
		return 3 * p.Width() * tower.Hidden
	}
	n, most := len(pairs), 1
	wide := false
	for _, l := range pairs {
		most = max(most, size(t.A, l.A)+size(t.B, l.B))
		wide = wide || max(t.A.Layers[l.A].MLPs()[0].Width(), t.B.Layers[l.B].MLPs()[0].Width()) > wideLayer
	}
	if wide {
		n = min(n, fittedLayers)
	}
	for _, i := range align.Spread(len(pairs), min(n, heldValues/most)) {
		out = append(out, pairs[i])
	}
	return out
}
