// Package layers finds which layer of A each layer of B came from: layers
// dropped, repeated, inserted or swapped. The map is chosen on a sample of MLP
// units that no test uses afterwards, so a test on the mapped layers keeps its
// p-value as it is.
package layers

import (
	"context"

	"github.com/weightprint/weightprint/similarity"
)

// Map explores a tower pair and returns the layer of A for each layer of B,
// together with the unit positions that chose it. A layer without a clear
// source keeps its own position where A has one, so that tests look somewhere.
// ok is false when the layers could not be compared or the map is that of the
// pair already.
func Map(ctx context.Context, p *similarity.Pair, t similarity.TowerPair) (pairs []similarity.LayerPair, held []int, ok bool, err error) {
	s, err := p.ScoreLayers(ctx, t)
	if err != nil || s == nil {
		return nil, nil, false, err
	}
	clear := false
	for b, row := range s.Count {
		a, found := source(row, s.Units, b)
		clear = clear || found && a != b
		if !found && b >= len(t.A.Layers) {
			continue
		}
		if !found {
			a = b
		}
		pairs = append(pairs, similarity.LayerPair{A: a, B: b})
	}
	return pairs, s.Held, clear && differs(pairs, t.Layers), nil
}

// source picks the layer of A that most units of a layer of B point to. It
// must hold a quarter of the units and be ahead of the layer at B's own
// position; what chance can do is settled later, by tests on other units.
func source(row []int, units, own int) (a int, found bool) {
	for i, n := range row {
		if n > row[a] {
			a = i
		}
	}
	if own < len(row) && row[own] == row[a] {
		a = own
	}
	return a, row[a] >= max(4, units/4)
}

func differs(a, b []similarity.LayerPair) bool {
	if len(a) != len(b) {
		return true
	}
	for i := range a {
		if a[i] != b[i] {
			return true
		}
	}
	return false
}
