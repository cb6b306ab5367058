package similarity

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
)

// choose thins the plans out to what a look may read.
func (p *Pair) choose(look int) []plan {
	l := Looks[look]
	keep := p.layersOf(l)
	heads, experts := map[string]int{}, map[string]int{}
	var out []plan
	for _, pl := range p.plans() {
		x := &pl.axis
		key := fmt.Sprintf("%s.%d", x.Tower, x.LayerB)
		if x.LayerB >= 0 && !keep[key] {
			continue
		}
		switch x.Component {
		case "attention":
			if heads[key]++; (heads[key]-1)*pl.units >= l.Heads {
				continue
			}
		case "experts":
			if experts[key]++; experts[key] > l.Experts {
				continue
			}
		}
		if !l.Columns {
			pl.views = withoutColumns(pl.views)
		}
		out = append(out, pl)
	}
	return p.withinBudget(out, l)
}

// layersOf marks the layers a look covers. Layer 0 answers to tokens more
// than to what was learned and is left out where there are others.
func (p *Pair) layersOf(l Look) map[string]bool {
	keep := map[string]bool{}
	for _, t := range p.Towers {
		n := len(t.Layers)
		want := n
		if l.Layers > 0 {
			want = min(n, l.Layers)
		}
		for _, i := range Spread(n, want) {
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

// Planned is what a look reads of one matrix of either side, in stored bytes.
type Planned struct {
	Matrix *roles.Matrix
	Bytes  int64
}

// Plan lists what a look would read of both subjects, without reading it.
func (p *Pair) Plan(look int) (a, b []Planned) {
	defer func(spent int64) { p.spent = spent }(p.spent)
	for _, pl := range p.choose(look) {
		for _, v := range pl.views {
			a = append(a, Planned{v.a, v.cost(v.a, pl.units, Looks[look])})
			b = append(b, Planned{v.b, v.cost(v.b, pl.units, Looks[look])})
		}
	}
	return a, b
}

// withinBudget drops layers, evenly, until the plans cost no more than what
// the look may read of either subject, and books what they cost.
func (p *Pair) withinBudget(plans []plan, l Look) []plan {
	for every := 1; ; every *= 2 {
		var a, b int64
		var kept []plan
		for _, pl := range plans {
			if every > 1 && pl.axis.LayerB >= 0 && pl.axis.LayerB%every != every/2 {
				continue
			}
			kept = append(kept, pl)
			for _, v := range pl.views {
				a += v.cost(v.a, pl.units, l)
				b += v.cost(v.b, pl.units, l)
			}
		}
		if p.Budget <= 0 || max(a, b) <= (p.Budget-p.spent)*int64(l.Share)/100 || len(kept) == 0 || every > 1024 {
			p.spent += max(a, b)
			return kept
		}
	}
}

// cost is how many bytes reading a view of m takes.
func (v viewPlan) cost(m *roles.Matrix, units int, l Look) int64 {
	switch {
	case v.columns && (v.name == "embedding" || v.name == "head"):
		return m.Cost(min(m.Rows, l.Features))
	case v.columns:
		return m.Cost(m.Rows)
	}
	if v.a.Rows != v.b.Rows && l.Wide > 0 && v.name != "v" {
		return m.Cost(min(m.Rows, l.Wide))
	}
	return m.Cost(min(units, l.Units))
}

// Spread picks k of n positions, evenly.
func Spread(n, k int) []int {
	if k >= n {
		k = n
	}
	out := make([]int, k)
	for i := range out {
		out[i] = (2*i + 1) * n / (2 * k)
	}
	return out
}
