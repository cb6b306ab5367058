package lineage

import (
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// part is a model of which only some tensors are shown.
type part struct {
	tensor.Model
	shown []*tensor.Tensor
}

// Tensors lists those shown.
func (p *part) Tensors() []*tensor.Tensor { return p.shown }

// Tensor returns a tensor that is shown.
func (p *part) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := p.Model.Tensor(name)
	return t, ok && slices.Contains(p.shown, t)
}

// layerOf shows of a model its middle layer; nil where it has no layers.
func layerOf(in report.Input) []*roles.Matrix {
	t := roles.Map(in.Model).Tower("main")
	if t == nil || len(t.Layers) < 2 {
		return nil
	}
	l := t.Layers[len(t.Layers)/2]
	all := []*roles.Matrix{l.O, l.Q, l.K, l.V}
	for _, e := range l.MLPs() {
		all = append(all, e.Down, e.Gate, e.Up)
	}
	return slices.DeleteFunc(all, func(m *roles.Matrix) bool { return m == nil })
}

// only shows of a model the tensors of some matrices.
func only(in report.Input, all []*roles.Matrix) report.Input {
	p := &part{Model: in.Model}
	for _, m := range all {
		if !slices.Contains(p.shown, m.Tensor) {
			p.shown = append(p.shown, m.Tensor)
		}
	}
	return report.Input{Ref: in.Ref, Format: in.Format, Model: p}
}
