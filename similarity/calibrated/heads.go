package calibrated

import (
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
)

// nullHeads is the null of the tests on heads and on embeddings in use.
const nullHeads = "two independently trained networks resemble each other no more than the control population does"

// Invariants lists the tests on quantities that no function-preserving change
// of an attention head or of the residual stream alters.
func Invariants() []*similarity.Test {
	return []*similarity.Test{QKPlanes(), OVSpectra(), TokenGram()}
}

// evidence starts a result of a test on heads or embeddings.
func evidence(test, axis string, t align.TowerPair) similarity.Evidence {
	if t.B.Name != "main" {
		axis = t.B.Name + "." + axis
	}
	return similarity.Evidence{Test: test, Axis: axis, Component: "attention", Tower: t.B.Name, LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullHeads}
}

// skip says why a test has no result for a tower.
func skip(test, axis string, t align.TowerPair, why string) similarity.Evidence {
	e := evidence(test, axis, t)
	e.Skipped = why
	return e
}

// layersWithin picks the layer pairs a test reads: within the budget, evenly
// spread, the first layer only if there is no other.
func layersWithin(p *align.Pair, t align.TowerPair, cost func(*roles.Layer) int64) []align.LayerPair {
	all := t.Layers
	if len(all) > 1 && all[0].B == 0 {
		all = all[1:]
	}
	if len(all) == 0 {
		return nil
	}
	each := max(cost(t.A.Layers[all[0].A]), cost(t.B.Layers[all[0].B]))
	n := p.Reserve(each, len(all))
	var out []align.LayerPair
	for _, i := range align.Spread(len(all), n) {
		out = append(out, all[i])
	}
	return out
}
