package tested

import (
	"context"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/layers"
)

// structure pairs heads and layers where the two subjects differ in number of
// them.
func (r *trial) structure(ctx context.Context) error {
	for i := range r.Towers {
		t := r.Towers[i]
		if len(t.A.Layers) != len(t.B.Layers) {
			if _, err := r.remap(ctx, i); err != nil {
				return err
			}
		}
		if err := layers.MapHeads(ctx, r.Pair, i, false); err != nil {
			return err
		}
	}
	return nil
}

// relook pairs the layers anew where some of them showed no likeness at their
// own position, and runs the first look again on other units.
func (r *trial) relook(ctx context.Context) error {
	changed := false
	for i, t := range r.Towers {
		if len(t.A.Layers) != len(t.B.Layers) || !r.unmatched(t) {
			continue
		}
		c, err := r.remap(ctx, i)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if !changed && r.headsOpen() {
		for i := range r.Towers {
			if err := layers.MapHeads(ctx, r.Pair, i, true); err != nil {
				return err
			}
			changed = changed || architecture.HeadsMoved(r.Towers[i])
		}
	}
	if !changed {
		return nil
	}
	r.Facts.Spent = r.Facts.ExactTests()
	r.Facts.Evidence, r.Looks = nil, nil
	return r.look(ctx, 0)
}

// remap chooses the layers of a tower anew and tells whether that changed
// anything.
func (r *trial) remap(ctx context.Context, tower int) (bool, error) {
	m, err := layers.Map(ctx, r.Pair, r.Towers[tower])
	if err != nil || m == nil {
		return false, err
	}
	r.Facts.Repeats = r.Facts.Repeats || m.Repeats
	if !m.Changed {
		return false, nil
	}
	r.Follow(tower, m.Pairs, m.Held)
	return true, nil
}

// unmatched tells whether some layer of B that was asked gave no sign of its
// counterpart, or none was asked.
func (r *trial) unmatched(t align.TowerPair) bool {
	sign := map[int]bool{} // by layer of B that was asked
	for _, e := range r.Facts.Evidence {
		if e.Tower == t.B.Name && e.LayerB >= 0 && e.P != nil {
			sign[e.LayerB] = sign[e.LayerB] || *e.P < verdict.LayerSign
		}
	}
	for _, x := range axis.Loaded(r.Pair, 0) { // those whose tests were skipped were asked, too
		if x.Tower == t.B.Name && x.LayerB >= 0 {
			if _, asked := sign[x.LayerB]; !asked {
				sign[x.LayerB] = false
			}
		}
	}
	for _, seen := range sign {
		if !seen {
			return true
		}
	}
	return len(sign) == 0
}

// headsOpen tells whether MLP units were found at their places and value
// channels were not, or could not be asked: their heads may stand in another
// order.
func (r *trial) headsOpen() bool {
	level := r.policy.Level()
	mlp, a := r.Facts.Best(func(e similarity.Evidence) bool { return e.Component == "mlp" || e.Component == "experts" })
	attention, b := r.Facts.Best(func(e similarity.Evidence) bool { return e.Component == "attention" })
	return a != nil && mlp <= level && (b == nil || attention > level || a.Effect > verdict.HeadsUnitsKept && b.Effect < verdict.HeadsValuesOff)
}
