package commitment

import (
	"context"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// candidate is an axis whose units could be sketched: the rows of a view.
type candidate struct {
	name string // such as "main.layers.3.mlp"
	view *roles.Matrix
}

// candidates lists the MLP of every layer, first expert and gate where there
// are several matrices, and the generic matrices of networks without layers;
// evenly thinned out to maxAxes.
func candidates(n *roles.Network) []candidate {
	var all []candidate
	for _, t := range n.Towers {
		for _, l := range t.Layers {
			if view := selector(l); view != nil {
				all = append(all, candidate{t.Name + ".layers." + strconv.Itoa(l.Index) + ".mlp", view})
			}
		}
	}
	for _, h := range n.Exchangeable() {
		if h.Blocks == 1 { // a row that is opened is a unit
			all = append(all, candidate{h.Role, h.Matrix})
		}
	}
	out := make([]candidate, min(len(all), maxAxes))
	for i := range out {
		out[i] = all[i*len(all)/len(out)]
	}
	return out
}

// selector is the matrix whose rows stand for the units of a layer's MLP, nil
// without one.
func selector(l *roles.Layer) *roles.Matrix {
	mlps := l.MLPs()
	switch {
	case len(mlps) == 0:
		return nil
	case mlps[0].Gate != nil:
		return mlps[0].Gate
	}
	return mlps[0].Up
}

// axesOf finds the axes that can be sketched, and how all tensors are cut for
// it.
func axesOf(n *roles.Network, ts []*tensor.Tensor) ([]Axis, []layout) {
	layouts := make([]layout, len(ts))
	at := map[string]int{}
	for i, t := range ts {
		layouts[i], at[t.Name] = plain(t), i
	}
	taken := map[int]bool{}
	var out []Axis
	for _, x := range candidates(n) {
		m := x.view
		l, first, step, ok := layoutOf(m)
		i := at[m.Tensor.Name]
		if !ok || max(m.Rows, m.Cols) > maxLength || pairs(m.Rows, m.Cols) < minPairs || taken[i] && layouts[i] != l {
			continue
		}
		layouts[i], taken[i] = l, true
		out = append(out, Axis{x.name, i, first, step, m.Rows, m.Cols})
	}
	return out, layouts
}

// AxisSketch is the sketch of one axis in the form that tests take.
type AxisSketch struct {
	Axis        string
	Length, Dim int    // units of the axis, values of a unit
	Eligible    []bool // pairs that can be told apart
	Words       []uint64
}

// compared turns sketches into that form. Pairs that have the same bits as
// another of their axis are not compared.
func compared(axes []Axis, all []Sketch) []AxisSketch {
	out := make([]AxisSketch, len(axes))
	for k, x := range axes {
		s := AxisSketch{x.Name, x.Units, x.Dim, slices.Clone(all[k].Eligible), all[k].Words}
		seen := map[[sketchWords]uint64]int{}
		for i := range s.Eligible {
			key := [sketchWords]uint64(s.Words[i*sketchWords:])
			if first, twice := seen[key]; twice {
				s.Eligible[i], s.Eligible[first] = false, false
			}
			seen[key] = i
		}
		out[k] = s
	}
	return out
}

// SketchUnder sketches a model under a challenge without any commitment: for
// comparison of a committed model with one that everybody has.
func SketchUnder(ctx context.Context, m tensor.Model, c *Challenge) ([]AxisSketch, error) {
	ts := byName(m)
	axes, layouts := axesOf(roles.Map(m), ts)
	if len(axes) == 0 {
		return nil, ErrNoAxes
	}
	w := newWitness(axes, c.Digest())
	for _, i := range axisTensors(axes) {
		if _, err := w.read(ctx, ts[i], layouts[i], i, nil); err != nil {
			return nil, err
		}
	}
	return compared(axes, w.sketches(newProjector(c.Digest()))), nil
}
