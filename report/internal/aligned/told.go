package aligned

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// TokensPaired tells whether tokens of the two are paired by their strings, and
// enough of them.
func (p *Pairing) TokensPaired() bool {
	for _, t := range p.Towers {
		if p.TokensByString(t) {
			return true
		}
	}
	return false
}

// Widths is the width of the wider residual stream, and how many MLP units the
// layers of the smaller network have.
func (p *Pairing) Widths() (hidden, units int) {
	for i, n := range p.Networks() {
		sum := 0
		for _, t := range n.Towers {
			hidden = max(hidden, t.Hidden)
			for _, l := range t.Layers {
				for _, e := range l.MLPs() {
					sum += e.Width()
				}
			}
		}
		if i == 0 || sum < units {
			units = sum
		}
	}
	return hidden, units
}

// InOrder tells whether every layer of either subject is held against the one at
// its own place.
func (p *Pairing) InOrder() bool {
	for _, t := range p.Towers {
		if len(t.Layers) != len(t.A.Layers) || len(t.Layers) != len(t.B.Layers) {
			return false
		}
		for _, l := range t.Layers {
			if l.A != l.B {
				return false
			}
		}
	}
	return true
}

// Count is the number of values of the larger subject.
func (p *Pairing) Count() (n float64) {
	for _, s := range p.Sides {
		sum := 0.0
		for _, t := range s.Model.Tensors() {
			sum += float64(t.Len())
		}
		n = max(n, sum)
	}
	return n
}

// Renamed tells whether container, shards, names, shapes or the packing of both differ.
func (p *Pairing) Renamed() bool {
	a, b := p.Sides[0], p.Sides[1]
	if a.Format != b.Format {
		return true
	}
	if a.Files > 0 && b.Files > 0 && (a.Files != b.Files || a.Layout != "" && b.Layout != "" && a.Layout != b.Layout) {
		return true
	}
	for _, t := range a.Model.Tensors() {
		if u, ok := b.Model.Tensor(t.Name); !ok || !slices.Equal(t.Shape, u.Shape) {
			return true
		}
	}
	return len(a.Model.Tensors()) != len(b.Model.Tensors())
}

// Unseen is how many values of a side stand in no part that is held against the other, as
// a share of the matrices that the other has: tensors of unknown role, those that are not
// read as numbers, and towers without a counterpart. It is the larger of both sides'.
func (p *Pairing) Unseen() (share float64) {
	nets := p.Networks()
	for i, n := range nets {
		if all := valuesOf(nets[1-i].Matrices()); all > 0 {
			share = max(share, p.unseen(i, n)/all)
		}
	}
	return share
}

func (p *Pairing) unseen(side int, n *roles.Network) (values float64) {
	for _, a := range n.Roles {
		if a.Role == "none" || strings.HasPrefix(a.Role, "generic.") {
			values += float64(a.Tensor.Len())
		}
	}
	for _, t := range n.Towers {
		if !slices.ContainsFunc(p.Towers, func(x align.TowerPair) bool { return t == [2]*roles.Tower{x.A, x.B}[side] }) {
			values += valuesOf((&roles.Network{Towers: []*roles.Tower{t}}).Matrices())
		}
	}
	return values
}

func valuesOf(all []*roles.Matrix) (values float64) {
	for _, m := range all {
		values += float64(m.Rows) * float64(m.Cols)
	}
	return values
}
