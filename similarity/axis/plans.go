package axis

import (
	"math"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// plan is an axis before it is read.
type plan struct {
	axis  Axis
	views []viewPlan
	units int // of each head or expert: the axis' length on B's side
}

// viewPlan names the two matrices of a view and how units lie in them.
type viewPlan struct {
	name        string
	equivariant bool
	a, b        *roles.Matrix
	atA         int // row (or column) of unit 0
	atB         int
	columns     bool // units are columns; rows are features, sampled alike on both sides
	blocks      int  // blocks of rows that each show every unit, as gates do; a unit is seen through all of them
	norm        bool // multiply the weights of the norm before the matrix into its columns
}

// plans lists the axes of the pair in a fixed order: tower by tower, layer by
// layer, then generic matrices.
func plans(p *align.Pair) []plan {
	var all []plan
	for _, t := range p.Towers {
		all = append(all, residualPlan(p, t)...)
		for _, l := range t.Layers {
			la, lb := t.A.Layers[l.A], t.B.Layers[l.B]
			all = append(all, mlpPlans(t, la, lb)...)
			all = append(all, headPlans(t, l.B, la, lb)...)
		}
	}
	return append(all, genericPlans(p)...)
}

func axisOf(t align.TowerPair, name, component string, a, b int) Axis {
	if t.B.Name != "main" {
		name = t.B.Name + "." + name
	}
	return Axis{Name: name, Component: component, Tower: t.B.Name, LayerA: a, LayerB: b, deep: len(t.B.Layers)}
}

// residualPlan looks at the dimensions of the residual stream through the
// embedding and the head, whose rows are the same tokens on both sides.
func residualPlan(p *align.Pair, t align.TowerPair) []plan {
	out := plan{axis: axisOf(t, "residual", "embeddings", -1, -1), units: t.B.Hidden}
	equivariant := t.A.RMSNorm && t.B.RMSNorm
	for _, m := range []struct {
		name string
		a, b *roles.Matrix
	}{{"embedding", t.A.Embedding, t.B.Embedding}, {"head", t.A.Head, t.B.Head}} {
		if m.a != nil && m.b != nil && len(align.SharedTokens(p.A.Tokens, p.B.Tokens, m.a.Rows, m.b.Rows).A) >= MinUnits {
			out.views = append(out.views, viewPlan{name: m.name, equivariant: equivariant, a: m.a, b: m.b, columns: true})
		}
	}
	if len(out.views) == 0 {
		return nil
	}
	return []plan{out}
}

// mlpPlans looks at the hidden units of each expert of a layer.
func mlpPlans(t align.TowerPair, a, b *roles.Layer) []plan {
	var out []plan
	ea, eb := a.MLPs(), b.MLPs()
	for e, x := range align.ExpertPairs(len(ea), len(eb)) {
		name, component := "layers."+strconv.Itoa(b.Index)+".mlp", "mlp"
		if len(ea) > 1 || len(eb) > 1 {
			name, component = "layers."+strconv.Itoa(b.Index)+".experts."+strconv.Itoa(e), "experts"
		}
		p := plan{axis: axisOf(t, name, component, a.Index, b.Index), units: eb[x[1]].Width()}
		p.axis.sample, p.axis.avoid, p.axis.Charge = "mlp units of "+t.B.Name, t.Held(), t.Charge()
		ea, eb := []*roles.MLP{ea[x[0]]}, []*roles.MLP{eb[x[1]]}
		e := 0
		gated := ea[e].Gate != nil && eb[e].Gate != nil
		for _, v := range []viewPlan{
			{name: "gate", a: ea[e].Gate, b: eb[e].Gate, norm: true},
			{name: "up", equivariant: gated, a: ea[e].Up, b: eb[e].Up, norm: true},
			{name: "down", equivariant: gated, a: ea[e].Down, b: eb[e].Down, columns: true},
		} {
			if v.a != nil && v.b != nil {
				p.views = append(p.views, v)
			}
		}
		if len(p.views) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// headPlans looks at the value channels inside each KV head. Heads differ in
// kind, so channels are exchangeable only within one.
func headPlans(t align.TowerPair, l int, a, b *roles.Layer) []plan {
	d := t.B.HeadDim
	if a.V == nil || b.V == nil || d == 0 || t.A.HeadDim != d || a.V.Rows%d != 0 || b.V.Rows%d != 0 {
		return nil
	}
	var out []plan
	for h, g := range t.HeadMap(l, min(a.V.Rows, b.V.Rows)/d) {
		p := plan{axis: axisOf(t, "layers."+strconv.Itoa(b.Index)+".attn.v."+strconv.Itoa(h), "attention", a.Index, b.Index), units: d}
		p.axis.sample = "value channels of " + t.B.Name
		p.views = []viewPlan{{name: "v", equivariant: true, a: a.V, b: b.V, atA: g * d, atB: h * d, norm: true}}
		if a.O != nil && b.O != nil && a.O.Cols%a.V.Rows == 0 && b.O.Cols%b.V.Rows == 0 {
			ga, gb := a.O.Cols/a.V.Rows, b.O.Cols/b.V.Rows // query heads that share the KV head: the first one speaks
			p.views = append(p.views, viewPlan{name: "o", equivariant: true, a: a.O, b: b.O, atA: g * ga * d, atB: h * gb * d, columns: true})
		}
		out = append(out, p)
	}
	return out
}

// genericPlans looks at the output units of matrices without a known role,
// as they are paired. What a choice among several cost is charged.
func genericPlans(p *align.Pair) []plan {
	var out []plan
	blocks := map[*roles.Matrix]int{}
	for _, side := range []*align.Subject{p.A, p.B} {
		for _, h := range side.Net.Exchangeable() {
			blocks[h.Matrix] = h.Blocks
		}
	}
	for _, pair := range p.GenericPairs() {
		n := blocks[pair.A]
		if n == 0 || n != blocks[pair.B] {
			continue
		}
		out = append(out, plan{
			axis:  Axis{Name: pair.B.Role, Component: "generic", Tower: "main", LayerA: -1, LayerB: -1, Charge: stats.LogP(math.Log(float64(pair.Choice))), gates: n},
			views: []viewPlan{{name: "rows", a: pair.A, b: pair.B, blocks: n}},
			units: pair.B.Rows / n,
		})
	}
	return out
}
