package measured

import (
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Layer is what was found for one layer of B.
type Layer struct {
	Tower  string
	A      *int // its source in A, nil if none was found
	B      int
	Log10P *verdict.Number
	Effect verdict.Number
}

// layers sums up layer by layer of B what exact tests found, and which hold
// matrices of A.
func (m *measuring) layers() []Layer {
	best := m.layerEvidence()
	kept := map[int]bool{}
	if m.related() { // strangers may hold one fixed table
		kept = m.Facts.LayersKept()
	}
	out := []Layer{}
	for _, t := range m.Towers {
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
func (m *measuring) layerEvidence() map[layerKey]*Layer {
	best := map[layerKey]*Layer{}
	looks := 0
	for _, e := range m.Facts.Evidence {
		if e.LayerB >= 0 && e.P != nil {
			looks++
		}
	}
	for _, e := range m.Facts.Evidence {
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
			if p <= m.policy.Level() {
				a := e.LayerA
				l.A = &a
			}
		}
	}
	return best
}

// sources lists the layer of A that each layer of B was found to come from.
func (m *measuring) sources(t align.TowerPair) []int {
	found := m.layers()
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
