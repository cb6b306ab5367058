package axis

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/similarity/align"
)

// Crossed holds the MLP units of layers of B against those of every layer of A, in
// token-anchored coordinates.
type Crossed struct {
	A, B []int     // layers by position in the towers
	Axes [][]*Axis // [layer of B][layer of A]
}

// Cross compares the units that a stage reads of the layers of a tower pair, every layer
// of B with every layer of A, and as many layers as the multiplications in work allow.
// It is for looking at: the diagonal is what the stage compares. What the stage read is
// used again. It returns nil where there are no anchors, or fewer than two layers with
// one MLP of a gate and an up matrix.
func Cross(ctx context.Context, p *align.Pair, t align.TowerPair, stage int, work float64) (*Crossed, error) {
	st := stages[stage]
	if st.Anchors == 0 {
		return nil, nil
	}
	reads, writes, err := Anchors(ctx, p, t, st.Anchors)
	if err != nil || reads == nil {
		return nil, err
	}
	all := crossable(p, t, stage)
	if len(all) < 2 {
		return nil, nil
	}
	each := crossWork(t, all[0], st, reads.n)
	k := len(all)
	for k > 1 && float64(k)*float64(k)*each > work {
		k--
	}
	if k < 2 {
		return nil, nil
	}
	c := &Crossed{}
	for _, i := range align.Spread(len(all), k) {
		c.A, c.B = append(c.A, all[i].A), append(c.B, all[i].B)
	}
	slices.Sort(c.A) // a layer that was repeated is the source of several
	c.A = slices.Compact(c.A)
	room := &scratch{}
	for _, b := range c.B {
		row := make([]*Axis, 0, len(c.A))
		for _, a := range c.A {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			axes, err := load(ctx, p, crossPlan(t, a, b), st, reads, writes, room)
			if err != nil {
				return nil, err
			}
			row = append(row, axes[len(axes)-1])
		}
		c.Axes = append(c.Axes, row)
	}
	return c, nil
}

// crossable lists the layers that a stage covers, as they are paired, whose units can be
// held against those of other layers.
func crossable(p *align.Pair, t align.TowerPair, stage int) (out []align.LayerPair) {
	covered, _, _ := choose(p, stage)
	for _, l := range t.Layers {
		a, b := t.A.Layers[l.A], t.B.Layers[l.B]
		if len(a.MLPs()) != 1 || len(b.MLPs()) != 1 || len(crossPlan(t, l.A, l.B).views) != 2 {
			continue
		}
		if slices.ContainsFunc(covered, func(x plan) bool {
			return x.axis.Component == "mlp" && x.axis.Tower == t.B.Name && x.axis.LayerB == b.Index
		}) {
			out = append(out, l)
		}
	}
	return out
}

// crossPlan is the axis of the MLP units of a layer of A and one of B, seen through gate
// and up.
func crossPlan(t align.TowerPair, a, b int) plan {
	pl := mlpPlans(t, t.A.Layers[a], t.B.Layers[b])[0]
	pl.views = slices.DeleteFunc(pl.views, func(v viewPlan) bool { return v.columns })
	return pl
}

// crossWork is how many multiplications it takes to compare one layer with another.
func crossWork(t align.TowerPair, l align.LayerPair, st Stage, tokens int) float64 {
	pl := crossPlan(t, l.A, l.B)
	a, b := float64(min(pl.total(0), st.Wide)), float64(min(pl.total(1), st.Wide))
	if a == b {
		a, b = min(a, float64(st.Units)), min(b, float64(st.Units))
	}
	hidden := float64(max(t.A.Hidden, t.B.Hidden))
	return 2 * (a*b*(hidden+float64(tokens)) + (a+b)*hidden*float64(tokens))
}
