package similarity

import (
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
)

// Axis is a set of units that one symmetry relabels, as read from both
// subjects: the hidden units of one MLP, the channels of one value head, the
// dimensions of the residual stream, the outputs of one generic matrix.
type Axis struct {
	Name        string // role of the axis, such as "layers.3.mlp"
	Component   string
	Tower       string
	LayerA      int // -1 for axes of a whole tower
	LayerB      int
	Coordinates string // "raw" or "anchored"
	Views       []View
	A, B        Side
	Skipped     string      // why there is no p-value; empty when there is
	Table       bool        // the units are those of a fixed table and speak for nothing at all
	Imbalance   *[2]float64 // of gate and up in the units of A and of B, nil where there are not both
	Charge      LogP        // what choosing the layers with the same units costs, to be added to a p-value

	sample string // purpose of the sampled positions: one for all layers of a tower
	avoid  []int  // positions that chose the layers
	deep   int    // layers of the tower
	flat   bool   // skipped because all units are much alike
}

// View is how alike the units are as seen through one pair of matrices.
type View struct {
	Name   string    // "gate", "up", "down", "v", "o", "embedding", "head", "rows"
	Odd    bool      // changes sign with the unit
	Cosine []float32 // len(B.Units) × len(A.Units); 0 where a unit is not eligible
	Spread float64   // standard deviation of the cosines that are on no diagonal
	Leads  Directions
}

// Side is one subject's part of an axis.
type Side struct {
	Total    int    // units the axis has
	Units    []int  // positions read, ascending
	Eligible []bool // by index into Units: neither zero, constant, duplicate nor non-finite

	marks marks
}

// count is the number of eligible units.
func (s *Side) count() int {
	n := 0
	for _, ok := range s.Eligible {
		if ok {
			n++
		}
	}
	return n
}

// plan is an axis before it is read.
type plan struct {
	axis  Axis
	views []viewPlan
	units int // of each head or expert: the axis' length on B's side
}

// viewPlan names the two matrices of a view and how units lie in them.
type viewPlan struct {
	name    string
	odd     bool
	a, b    *roles.Matrix
	atA     int // row (or column) of unit 0
	atB     int
	columns bool // units are columns; rows are features, sampled alike on both sides
	gains   bool // fold the gain of the norm before the matrix into its columns
}

// plans lists the axes of the pair in a fixed order: tower by tower, layer by
// layer, then generic matrices.
func (p *Pair) plans() []plan {
	var all []plan
	for _, t := range p.Towers {
		all = append(all, p.residualPlan(t)...)
		for _, l := range t.Layers {
			la, lb := t.A.Layers[l.A], t.B.Layers[l.B]
			all = append(all, mlpPlans(t, la, lb)...)
			all = append(all, headPlans(t, l.B, la, lb)...)
		}
	}
	return append(all, genericPlans(p)...)
}

func axisOf(t TowerPair, name, component string, a, b int) Axis {
	if t.B.Name != "main" {
		name = t.B.Name + "." + name
	}
	return Axis{Name: name, Component: component, Tower: t.B.Name, LayerA: a, LayerB: b, deep: len(t.B.Layers)}
}

// residualPlan looks at the dimensions of the residual stream through the
// embedding and the head, whose rows are the same tokens on both sides.
func (p *Pair) residualPlan(t TowerPair) []plan {
	pl := plan{axis: axisOf(t, "residual", "embeddings", -1, -1), units: t.B.Hidden}
	odd := t.A.RMSNorm && t.B.RMSNorm
	for _, m := range []struct {
		name string
		a, b *roles.Matrix
	}{{"embedding", t.A.Embedding, t.B.Embedding}, {"head", t.A.Head, t.B.Head}} {
		if m.a != nil && m.b != nil && len(SharedTokens(p.A.Tokens, p.B.Tokens, m.a.Rows, m.b.Rows).A) >= minUnits {
			pl.views = append(pl.views, viewPlan{name: m.name, odd: odd, a: m.a, b: m.b, columns: true})
		}
	}
	if len(pl.views) == 0 {
		return nil
	}
	return []plan{pl}
}

// mlpPlans looks at the hidden units of each expert of a layer.
func mlpPlans(t TowerPair, a, b *roles.Layer) []plan {
	var out []plan
	ea, eb := a.MLPs(), b.MLPs()
	for e, x := range expertPairs(len(ea), len(eb)) {
		name, component := "layers."+strconv.Itoa(b.Index)+".mlp", "mlp"
		if len(ea) > 1 || len(eb) > 1 {
			name, component = "layers."+strconv.Itoa(b.Index)+".experts."+strconv.Itoa(e), "experts"
		}
		p := plan{axis: axisOf(t, name, component, a.Index, b.Index), units: eb[x[1]].Width()}
		p.axis.sample, p.axis.avoid, p.axis.Charge = "mlp units of "+t.B.Name, t.held, t.charge()
		ea, eb := []*roles.MLP{ea[x[0]]}, []*roles.MLP{eb[x[1]]}
		e := 0
		gated := ea[e].Gate != nil && eb[e].Gate != nil
		for _, v := range []viewPlan{
			{name: "gate", a: ea[e].Gate, b: eb[e].Gate, gains: true},
			{name: "up", odd: gated, a: ea[e].Up, b: eb[e].Up, gains: true},
			{name: "down", odd: gated, a: ea[e].Down, b: eb[e].Down, columns: true},
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

// expertPairs holds experts against experts by position, and a dense MLP
// against every expert of the other side.
func expertPairs(a, b int) (out [][2]int) {
	for e := range max(a, b) {
		switch {
		case a == 1:
			out = append(out, [2]int{0, e})
		case b == 1:
			out = append(out, [2]int{e, 0})
		case e < a && e < b:
			out = append(out, [2]int{e, e})
		}
	}
	if a == 0 || b == 0 {
		return nil
	}
	return out
}

// headPlans looks at the value channels inside each KV head. Heads differ in
// kind, so channels are exchangeable only within one.
func headPlans(t TowerPair, l int, a, b *roles.Layer) []plan {
	d := t.B.HeadDim
	if a.V == nil || b.V == nil || d == 0 || t.A.HeadDim != d || a.V.Rows%d != 0 || b.V.Rows%d != 0 {
		return nil
	}
	var out []plan
	for h, g := range t.headMap(l, min(a.V.Rows, b.V.Rows)/d) {
		p := plan{axis: axisOf(t, "layers."+strconv.Itoa(b.Index)+".attn.v."+strconv.Itoa(h), "attention", a.Index, b.Index), units: d}
		p.axis.sample = "value channels of " + t.B.Name
		p.views = []viewPlan{{name: "v", odd: true, a: a.V, b: b.V, atA: g * d, atB: h * d, gains: true}}
		if a.O != nil && b.O != nil && a.O.Cols%a.V.Rows == 0 && b.O.Cols%b.V.Rows == 0 {
			ga, gb := a.O.Cols/a.V.Rows, b.O.Cols/b.V.Rows // query heads that share the KV head: the first one speaks
			p.views = append(p.views, viewPlan{name: "o", odd: true, a: a.O, b: b.O, atA: g * ga * d, atB: h * gb * d, columns: true})
		}
		out = append(out, p)
	}
	return out
}

// headMap says which KV head of A each KV head of B is held against.
func (t *TowerPair) headMap(layer, n int) []int {
	if m, ok := t.Heads[layer]; ok {
		return m
	}
	m := make([]int, n)
	for h := range m {
		m[h] = h
	}
	return m
}

// genericPlans looks at the output units of matrices without a known role,
// paired by name, or by shape where exactly one pair of that shape is left.
func genericPlans(p *Pair) []plan {
	var out []plan
	for _, pair := range pairGeneric(p.A.Net.Exchangeable(), p.B.Net.Exchangeable()) {
		a, b := pair[0], pair[1]
		out = append(out, plan{
			axis:  Axis{Name: b.Role, Component: "generic", Tower: "main", LayerA: -1, LayerB: -1},
			views: []viewPlan{{name: "rows", a: a, b: b}},
			units: b.Rows,
		})
	}
	return out
}

// pairGeneric pairs matrices of equal shape: those of one name first, the
// others in stored order.
func pairGeneric(as, bs []*roles.Matrix) [][2]*roles.Matrix {
	type key struct {
		name       string
		rows, cols int
	}
	taken := map[*roles.Matrix]bool{}
	partner := make([]*roles.Matrix, len(bs))
	for _, byName := range []bool{true, false} {
		of := func(m *roles.Matrix) key {
			if byName {
				return key{m.Tensor.Name, m.Rows, m.Cols}
			}
			return key{"", m.Rows, m.Cols}
		}
		free := map[key][]*roles.Matrix{}
		for _, a := range as {
			if !taken[a] {
				free[of(a)] = append(free[of(a)], a)
			}
		}
		for i, b := range bs {
			if left := free[of(b)]; partner[i] == nil && len(left) > 0 {
				partner[i], taken[left[0]] = left[0], true
				free[of(b)] = left[1:]
			}
		}
	}
	var out [][2]*roles.Matrix
	for i, b := range bs {
		if partner[i] != nil {
			out = append(out, [2]*roles.Matrix{partner[i], b})
		}
	}
	return out
}
