package measured

import (
	"fmt"

	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
)

// maps lists what became of the units of axes that were shortened.
func (m *measuring) maps() []read.UnitMap {
	out := []read.UnitMap{}
	seen := map[string]bool{}
	for look := range axis.Stages() {
		for _, x := range axis.Loaded(m.Pair, look) {
			if x.Skipped != "" || x.A.Total == x.B.Total || seen[x.Name] {
				continue
			}
			u := read.UnitMap{Axis: x.Name, OfA: x.A.Total, OfB: x.B.Total, A: []int{}, B: []int{}}
			for j, i := range exact.Partners(x) {
				if i >= 0 {
					u.A, u.B = append(u.A, x.A.Units[i]), append(u.B, x.B.Units[j])
				}
			}
			seen[x.Name] = true
			out = append(out, u)
		}
	}
	if e := m.Asked(); e != nil {
		out = append(out, e.Moved()...)
	}
	for _, t := range m.Towers {
		for _, l := range t.Layers {
			if heads, ok := t.Heads[l.B]; ok {
				u := read.UnitMap{Axis: fmt.Sprintf("layers.%d.attn.kv", t.B.Layers[l.B].Index), A: heads, OfA: t.A.Layers[l.A].V.Rows / t.A.HeadDim, OfB: len(heads)}
				for h := range heads {
					u.B = append(u.B, h)
				}
				out = append(out, u)
			}
		}
	}
	return out
}
