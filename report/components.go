package report

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// componentsOf names the part of a network that each matrix of a tower belongs
// to.
func componentsOf(t *roles.Tower) map[*roles.Matrix]string {
	of := map[*roles.Matrix]string{}
	set := func(name string, ms ...*roles.Matrix) {
		for _, m := range ms {
			of[m] = name
		}
	}
	for _, l := range t.Layers {
		for _, o := range l.Others {
			set(o.Component(), o.Matrix)
		}
		mlp := "mlp"
		if len(l.MLPs()) > 1 {
			mlp = "experts"
		}
		for _, e := range l.MLPs() {
			set(mlp, e.Gate, e.Up, e.Down)
		}
		set("experts", l.Router)
		set("attention", l.Q, l.K, l.V, l.O)
	}
	set("embeddings", t.Embedding, t.Head, t.Positions)
	return of
}

// part sums up what one component of B consists of.
type part struct {
	name    string // with the tower, unless it is the main one
	tower   string
	tensors int
	values  int64

	matrices []*roles.Matrix
}

// parts lists the components of a network in a fixed order.
func parts(n *roles.Network) []*part {
	var out []*part
	add := func(tower, component string, m *roles.Matrix) {
		name := component
		if tower != "main" {
			name = tower + "." + component
		}
		i := slices.IndexFunc(out, func(p *part) bool { return p.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, &part{name: name, tower: tower})
		}
		out[i].tensors++
		out[i].matrices = append(out[i].matrices, m)
		out[i].values += int64(m.Rows) * int64(m.Cols)
	}
	for _, t := range n.Towers {
		tower, of := &roles.Network{Towers: []*roles.Tower{t}}, componentsOf(t)
		for _, m := range tower.Matrices() {
			add(t.Name, of[m], m)
		}
	}
	for _, m := range n.Generic {
		add("main", "generic", m)
	}
	return out
}

// components judges each part of B on its own.
func (r *run) components(v verdict.Verdict) []Component {
	all := parts(r.pair.B.Net)
	total := int64(0)
	for _, p := range all {
		total += p.values
	}
	out := []Component{}
	for _, p := range all {
		c := r.component(p, v)
		c.ParametersShare = verdict.Number(float64(p.values) / float64(max(1, total)))
		out = append(out, c)
	}
	return out
}

// component judges one part: by its values, by labels, by what needs none. No
// part says more than the whole, and nothing is concluded from a test that could
// not have seen.
func (r *run) component(p *part, v verdict.Verdict) Component {
	c := Component{Name: p.name, Tensors: p.tensors}
	if r.facts.Named != "" {
		c.Relation, c.By = verdict.Identical, "equal digests, as the hub lists them"
		return c
	}
	if d := r.facts.Detectable(p.name); d != nil && d.Cosine < 1 {
		c.Detectable = verdict.NumberOf(stats.RoundUp(d.Cosine))
	}
	ofPart := func(e similarity.Evidence) bool { return verdict.PartName(e) == p.name }
	logp, by := r.facts.Best(ofPart)
	if by != nil {
		c.Log10P, c.Effect, c.By = verdict.NumberOf(logp.Log10()), verdict.Number(by.Effect), by.Test+" of "+by.Axis
	}
	sums := r.sums(p)
	if sums.N > 0 {
		c.Effect = verdict.Number(sums.Cosine())
	}
	units := r.facts.Units(ofPart)
	if same, kinds := r.stored(p); same {
		c.Relation, c.By = verdict.Reencoded, "equal values"
		if len(kinds) == 0 {
			c.Relation = verdict.Identical
		}
		return c
	}
	found := v.Relation == verdict.Related || v.Relation == verdict.SharedInit
	spoke := r.spokenFor(p)
	switch {
	case found && units > 0 && logp <= r.o.Policy.Level():
		c.Relation = v.Relation
	case found && spoke != nil:
		c.Relation, c.Log10P, c.Effect, c.By = v.Relation, nil, verdict.Number(spoke.Effect), spoke.Test+" of "+spoke.Axis
	case v.Relation == verdict.NoEvidence && units >= verdict.MinComponentUnits, found && r.facts.SeesThrough(p.name):
		c.Relation = verdict.NoEvidence
	default:
		c.Relation = verdict.Inconclusive // what hides from these tests is not shown to be absent
	}
	return c
}

// spokenFor is the calibrated result that found the part, nil if none did. What makes
// no finding alone speaks for a part only beside a finding in the same tower.
func (r *run) spokenFor(p *part) *similarity.Evidence {
	found := r.facts.Channels(verdict.Controls())
	for _, e := range found.All() {
		if verdict.PartName(*e) == p.name && (slices.Contains(found.Alone(), e) || r.foundIn(e.Tower, found)) {
			return e
		}
	}
	return nil
}

// foundIn tells whether labels, or what makes a finding alone, found a tower.
func (r *run) foundIn(tower string, found verdict.Channels) bool {
	logp, _ := r.facts.Best(func(e similarity.Evidence) bool { return e.Tower == tower })
	return logp <= r.o.Policy.Level() || slices.ContainsFunc(found.Alone(), func(e *similarity.Evidence) bool { return e.Tower == tower })
}

// stored tells whether all of a part's tensors hold the same values.
func (r *run) stored(p *part) (same bool, kinds []verdict.Kind) {
	part, matrices := verdict.Storage{Complete: r.facts.Storage.Complete}, 0
	for _, c := range r.facts.Storage.Changes {
		if verdict.PartOf(c.Tower, c.Component) == p.name {
			part.Changes = append(part.Changes, c)
			if !c.Vector {
				matrices++
			}
		}
	}
	if matrices >= p.tensors && part.Same() {
		return true, part.Kinds()
	}
	switch x := r.facts.Equality.Parts[p.name]; {
	case !x.Complete():
		return false, nil
	case x.Rounded:
		return true, []verdict.Kind{verdict.CastKind}
	case r.facts.Storage.Renamed || !r.facts.Equality.InOrder():
		return true, []verdict.Kind{verdict.Repackaged}
	}
	return true, nil
}

// sums pools the value statistics of a part's matrices.
func (r *run) sums(p *part) (s delta.Stats) {
	for i := range r.facts.Storage.Changes {
		if c := &r.facts.Storage.Changes[i]; verdict.PartOf(c.Tower, c.Component) == p.name {
			s.Merge(&c.Stats)
		}
	}
	return s
}

// layers sums up layer by layer of B what exact tests found, and which hold
// matrices of A.
func (r *run) layers() []Layer {
	best := r.layerEvidence()
	kept := map[int]bool{}
	if r.related() { // strangers may hold one fixed table
		kept = r.facts.LayersKept()
	}
	out := []Layer{}
	for _, t := range r.pair.Towers {
		from := map[int]int{}
		for _, pair := range t.Layers {
			from[t.B.Layers[pair.B].Index] = t.A.Layers[pair.A].Index
		}
		for _, at := range t.B.Layers {
			l := best[layerKey{t.B.Name, at.Index}]
			switch a, paired := from[at.Index]; {
			case len(best) == 0:
				continue
			case l == nil:
				l = &Layer{Tower: t.B.Name, B: at.Index}
			case l.A == nil && paired && t.B.Name == "main" && kept[at.Index]:
				l.A = &a
			}
			out = append(out, *l)
		}
	}
	slices.SortStableFunc(out, func(a, b Layer) int { return a.B - b.B })
	return out
}

type layerKey struct {
	tower string
	b     int
}

// layerEvidence keeps for each layer of B what its best exact test says.
func (r *run) layerEvidence() map[layerKey]*Layer {
	best := map[layerKey]*Layer{}
	looks := 0
	for _, e := range r.facts.Evidence {
		if e.LayerB >= 0 && e.P != nil {
			looks++
		}
	}
	for _, e := range r.facts.Evidence {
		if e.LayerB < 0 || e.P == nil {
			continue
		}
		k := layerKey{e.Tower, e.LayerB}
		l := best[k]
		if l == nil {
			l = &Layer{Tower: e.Tower, B: e.LayerB}
			best[k] = l
		}
		p := stats.Bonferroni(*e.P, looks)
		if l.Log10P == nil || verdict.Number(p.Log10()) < *l.Log10P {
			l.Log10P, l.Effect, l.A = verdict.NumberOf(p.Log10()), verdict.Number(e.Effect), nil
			if p <= r.o.Policy.Level() {
				a := e.LayerA
				l.A = &a
			}
		}
	}
	return best
}

// delta sums up the comparison of values.
func (r *run) delta() *Delta {
	s := &r.facts.Storage
	maps := r.maps()
	if len(s.Changes) == 0 && (len(maps) == 0 || !r.related()) {
		return nil
	}
	d := &Delta{Complete: s.Complete, Tensors: len(s.Changes), Types: s.Types(), OnlyA: nonNil(s.OnlyA), OnlyB: nonNil(s.OnlyB), Shapes: nonNil(s.Shapes)}
	var all delta.Stats
	for i := range s.Changes {
		c := &s.Changes[i]
		all.Merge(&c.Stats)
		switch st, _ := c.Storage(); st {
		case delta.Equal:
			d.Equal++
		case delta.Cast:
			d.Cast++
		case delta.Quantised:
			d.Quantised++
		default:
			d.Different++
		}
	}
	if d.Types == nil {
		d.Types = []verdict.TypeChange{}
	}
	d.Maps = maps
	d.Relative, d.Cosine = verdict.Number(all.Relative()), verdict.Number(all.Cosine())
	if all.Cosine() > verdict.Correspond {
		d.Histogram = r.histogram()
	}
	return d
}

// maps lists what became of the units of axes that were shortened.
func (r *run) maps() []UnitMap {
	out := []UnitMap{}
	seen := map[string]bool{}
	for look := range axis.Stages() {
		for _, x := range axis.Loaded(r.pair, look) {
			if x.Skipped != "" || x.A.Total == x.B.Total || seen[x.Name] {
				continue
			}
			m := UnitMap{Axis: x.Name, OfA: x.A.Total, OfB: x.B.Total, A: []int{}, B: []int{}}
			for j, i := range exact.Partners(x) {
				if i >= 0 {
					m.A, m.B = append(m.A, x.A.Units[i]), append(m.B, x.B.Units[j])
				}
			}
			seen[x.Name] = true
			out = append(out, m)
		}
	}
	out = append(out, moved(r.experts)...)
	for _, t := range r.pair.Towers {
		for _, l := range t.Layers {
			if heads, ok := t.Heads[l.B]; ok {
				m := UnitMap{Axis: fmt.Sprintf("layers.%d.attn.kv", t.B.Layers[l.B].Index), A: heads, OfA: t.A.Layers[l.A].V.Rows / t.A.HeadDim, OfB: len(heads)}
				for h := range heads {
					m.B = append(m.B, h)
				}
				out = append(out, m)
			}
		}
	}
	return out
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// sources lists the layer of A that each layer of B was found to come from.
func (r *run) sources(t align.TowerPair) []int {
	found := r.layers()
	if len(found) == 0 {
		return nil
	}
	out := make([]int, len(t.B.Layers))
	for b := range out {
		out[b] = -1
		i := slices.IndexFunc(found, func(l Layer) bool { return l.Tower == t.B.Name && l.B == t.B.Layers[b].Index })
		if i >= 0 && found[i].A != nil {
			out[b] = *found[i].A
		}
	}
	return out
}
