// Package planned is the stage of a comparison that says how much of the two
// subjects may be read, before any of it is.
package planned

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Extent is how far a comparison is asked to go.
type Extent struct {
	Budget int64 // bytes of values that may be decoded of each subject; align.NoLimit for all
	Quick  bool  // the first look of the tests only
	Deep   bool  // every test on every layer, whatever the first look says
}

// Plan is a pairing with what may be read of it.
type Plan struct {
	*aligned.Pairing
	Extent Extent
	Whole  bool // everything is read: asked for, or within the budget
}

// Of fixes what may be read of a pairing.
func Of(p *aligned.Pairing, e Extent) *Plan {
	plan := &Plan{Pairing: p, Extent: e, Whole: e.Budget == align.NoLimit || max(p.Sides[0].Bytes, p.Sides[1].Bytes) <= e.Budget}
	if !plan.Whole {
		p.Limit(e.Budget)
	}
	p.Deep = e.Deep
	return plan
}

// First is what the tests read first of each side: stored bytes by tensor. It is
// empty where everything is read.
func (p *Plan) First() [2]map[*tensor.Tensor]int64 {
	out := [2]map[*tensor.Tensor]int64{{}, {}}
	if p.Whole {
		return out
	}
	first, second := axis.Plan(p.Pair, 0)
	for i, list := range [][]axis.Planned{first, second} {
		for _, x := range list {
			out[i][x.Matrix.Tensor] += x.Bytes
		}
	}
	return out
}
