package axis

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Stage says how much of each axis is read.
type Stage struct {
	Units    int  // at most so many units of an axis
	Heads    int  // at most so many value channels of a layer, in whole heads
	Experts  int  // at most so many experts of a layer
	Features int  // rows sampled as features where units are columns of an embedding
	Layers   int  // at most so many layers, evenly spread; 0 = all
	Columns  bool // also read units that are columns of large matrices (down, o)
	Anchors  int  // shared tokens for anchored coordinates; 0 = raw coordinates only
	Wide     int  // longest axis that may be read whole where the two sides differ in length
	Share    int  // percent of the budget left that the stage may use
}

// Stages lists the stages of the exact tests, the cheapest first.
func Stages() []Stage { return slices.Clone(stages) }

// stages are those of the exact tests: few units of all layers, then many
// of some, also on token-anchored coordinates. A pair that the first
// settles is never looked at twice.
var stages = []Stage{
	{Units: 64, Heads: 64, Experts: 2, Features: 256, Wide: 512, Share: 40},
	{Units: 1024, Heads: 512, Experts: 8, Features: 512, Layers: 8, Anchors: 512, Wide: 1 << 14, Share: 90},
}

// choose thins the plans out to what a stage may read, and returns the stage as it
// will be read and what that costs the dearer side in bytes.
func choose(p *align.Pair, stage int) ([]plan, Stage, int64) {
	st := stages[stage]
	keep := layersOf(p, st)
	heads, experts := map[string]int{}, map[string]int{}
	var out []plan
	for _, pl := range plans(p) {
		x := &pl.axis
		key := fmt.Sprintf("%s.%d", x.Tower, x.LayerB)
		if x.LayerB >= 0 && !keep[key] {
			continue
		}
		switch x.Component {
		case "attention":
			if heads[key]++; (heads[key]-1)*pl.units >= st.Heads {
				continue
			}
		case "experts":
			if experts[key]++; experts[key] > st.Experts {
				continue
			}
		}
		if !st.Columns {
			pl.views = withoutColumns(pl.views)
		}
		out = append(out, pl)
	}
	return withinBudget(p, out, st)
}

// layersOf marks the layers a stage covers. Layer 0 answers to tokens more
// than to what was learned and is left out where there are others.
func layersOf(p *align.Pair, st Stage) map[string]bool {
	keep := map[string]bool{}
	for _, t := range p.Towers {
		n := len(t.Layers)
		want := n
		if st.Layers > 0 {
			want = min(n, st.Layers)
		}
		for _, i := range align.Spread(n, want) {
			if i == 0 && want < n {
				i = 1
			}
			keep[fmt.Sprintf("%s.%d", t.B.Name, t.B.Layers[t.Layers[i].B].Index)] = true
		}
	}
	return keep
}

// withoutColumns drops views whose units are columns, except embeddings,
// which are read by the row.
func withoutColumns(views []viewPlan) []viewPlan {
	var out []viewPlan
	for _, v := range views {
		if !v.columns || v.name == "embedding" || v.name == "head" {
			out = append(out, v)
		}
	}
	return out
}

// Planned is what a stage reads of one matrix of either side, in stored bytes.
type Planned struct {
	Matrix *roles.Matrix
	Bytes  int64
}

// Plan lists what a stage would read of both subjects, without reading it.
func Plan(p *align.Pair, stage int) (a, b []Planned) {
	plans, st, _ := choose(p, stage)
	for _, pl := range plans {
		for _, v := range pl.views {
			a = append(a, Planned{v.a, v.cost(v.a, pl.units, st)})
			b = append(b, Planned{v.b, v.cost(v.b, pl.units, st)})
		}
	}
	return a, b
}

// fewestFeatures is how many tokens are enough to see units through at least.
const fewestFeatures = 64

// withinBudget drops layers, evenly, until the plans cost no more than what the stage
// may read of either subject. Where none would be left it looks through fewer tokens,
// and at last drops what lies outside layers, too. The stage that it returns says how
// many tokens.
func withinBudget(p *align.Pair, plans []plan, st Stage) ([]plan, Stage, int64) {
	least := st
	for ; least.Features >= fewestFeatures; least.Features /= 2 {
		if kept := layersWithin(p, plans, least); kept != nil {
			return kept, least, costOf(kept, least)
		}
	}
	least.Features = fewestFeatures
	kept := plans
	for len(kept) > 0 && !p.Fits(costOf(kept, least), least.Share) {
		var some []plan
		for _, i := range align.Spread(len(kept), len(kept)/2) {
			some = append(some, kept[i])
		}
		kept = some
	}
	return kept, least, costOf(kept, least)
}

// layersWithin keeps every, or every second, fourth, … layer, nil where all would be
// dropped.
func layersWithin(p *align.Pair, plans []plan, st Stage) []plan {
	inLayer := func(pl plan) bool { return pl.axis.LayerB >= 0 }
	kept := plans
	for every := 2; !p.Fits(costOf(kept, st), st.Share); every *= 2 {
		kept = slices.DeleteFunc(slices.Clone(plans), func(pl plan) bool { return inLayer(pl) && pl.axis.LayerB%every != every/2 })
		if every > mostEvery || !slices.ContainsFunc(kept, inLayer) {
			return nil
		}
	}
	return kept
}

// mostEvery is the depth of a tower from which no layer is left out of so many.
const mostEvery = 1024

// costOf is what plans read of the dearer side.
func costOf(plans []plan, st Stage) int64 {
	var a, b int64
	for _, pl := range plans {
		for _, v := range pl.views {
			a += v.cost(v.a, pl.units, st) + v.gainCost(v.a)
			b += v.cost(v.b, pl.units, st) + v.gainCost(v.b)
		}
	}
	return max(a, b)
}

// gainCost is how many bytes the norm before m takes, where it is read along.
func (v viewPlan) gainCost(m *roles.Matrix) int64 {
	if !v.norm {
		return 0
	}
	return m.Gain.Cost()
}

// cost is how many bytes reading a view of m takes.
func (v viewPlan) cost(m *roles.Matrix, units int, st Stage) int64 {
	switch {
	case v.columns && (v.name == "embedding" || v.name == "head"):
		return m.Cost(min(m.Rows, st.Features))
	case v.columns:
		return m.Cost(m.Rows)
	}
	if v.a.Rows != v.b.Rows && st.Wide > 0 && v.name != "v" {
		return m.Cost(min(m.Rows, st.Wide))
	}
	return m.Cost(min(units, st.Units))
}
