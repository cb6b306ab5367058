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

// layerOf shows of a model its middle layer; ok is false where it has no layers.
func layerOf(in report.Input) (out report.Input, ok bool) {
	t := roles.Map(in.Model).Tower("main")
	if t == nil || len(t.Layers) < 2 {
		return in, false
	}
	l := t.Layers[len(t.Layers)/2]
	p := &part{Model: in.Model}
	show := func(all ...*roles.Matrix) {
		for _, m := range all {
			if m != nil && !slices.Contains(p.shown, m.Tensor) {
				p.shown = append(p.shown, m.Tensor)
			}
		}
	}
	show(l.Q, l.K, l.V, l.O)
	for _, e := range l.MLPs() {
		show(e.Gate, e.Up, e.Down)
	}
	return report.Input{Ref: in.Ref, Format: in.Format, Model: p}, len(p.shown) > 0
}
