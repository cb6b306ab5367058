// Package layers finds which layer of A each layer of B came from: layers
// dropped, repeated, inserted or swapped. It also brings rotary rows of queries
// and keys into one order and pairs the heads of layers.
//
// The layer map is chosen on a sample of MLP units that no test uses afterwards,
// so a test on the mapped layers keeps its p-value as it is.
package layers

import (
	"context"

	"github.com/weightprint/weightprint/similarity/align"
)

// Result is a layer map.
type Result struct {
	Pairs   []align.LayerPair // the layer of A for each layer of B
	Held    []int             // unit positions that chose it; no test may use them
	Changed bool              // the map is clear and not the pair's own
	Repeats bool              // several layers of A point to one of B
}

// Map explores a tower pair. A layer of B without a clear source keeps its own
// position where A has one, so that tests look somewhere. The result is nil
// when the layers could not be compared.
func Map(ctx context.Context, p *align.Pair, t align.TowerPair) (*Result, error) {
	s, err := Score(ctx, p, t)
	if err != nil || s == nil {
		return nil, err
	}
	r := &Result{Held: s.Held}
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
		r.Pairs = append(r.Pairs, align.LayerPair{A: a, B: b})
		strong := 0
		for _, n := range row {
			if n >= max(4, s.Units/2) {
				strong++
			}
		}
		r.Repeats = r.Repeats || strong > 1
	}
	r.Changed = clear && differs(r.Pairs, t.Layers)
	return r, nil
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

func differs(a, b []align.LayerPair) bool {
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

// SideBySide brings rotary rows of both into one order, and holds layers against those
// that they come from where the two have different numbers of them.
func SideBySide(ctx context.Context, p *align.Pair) error {
	if _, err := AlignRotary(ctx, p); err != nil {
		return err
	}
	for i, t := range p.Towers {
		if len(t.A.Layers) == len(t.B.Layers) {
			continue
		}
		m, err := Map(ctx, p, t)
		if err != nil {
			return err
		}
		if m != nil && m.Changed {
			p.Follow(i, m.Pairs, m.Held)
		}
	}
	return nil
}
