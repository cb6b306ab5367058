// Package invariants holds the tests on quantities that no function-preserving
// change of an attention head or of the residual stream alters.
//
// Those on heads need neither tokens nor units in any order, and so reach
// models whose embeddings were replaced or whose vocabulary was shuffled. They
// and the products among embeddings in use have no closed-form null: networks
// trained alike resemble one another in all of them, and each result is held
// against the control population. Products among embeddings that training left
// untouched are exact evidence.
package invariants

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
)

const null = "two independently trained networks resemble each other no more than the control population does"

// Tests lists the tests of this package.
func Tests() []*similarity.Test {
	return []*similarity.Test{QKPlanes(), OVSpectra(), TokenGram()}
}

// folded reads all rows of a matrix with the gain of the norm before it.
func folded(ctx context.Context, m *roles.Matrix) ([]float32, error) {
	x := make([]float32, m.Rows*m.Cols)
	if err := m.Gather(ctx, x, m.All()); err != nil {
		return nil, err
	}
	if m.Gain == nil {
		return x, nil
	}
	gain, err := m.Gain.Read(ctx)
	if err != nil {
		return nil, err
	}
	for r := range m.Rows {
		row := x[r*m.Cols : (r+1)*m.Cols]
		for k, g := range gain {
			row[k] *= g
		}
	}
	return x, nil
}

// evidence starts a result of this package.
func evidence(test, axis string, t similarity.TowerPair) similarity.Evidence {
	if t.B.Name != "main" {
		axis = t.B.Name + "." + axis
	}
	return similarity.Evidence{Test: test, Axis: axis, Component: "attention", Tower: t.B.Name, LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: null}
}

// skip says why a test has no result for a tower.
func skip(test, axis string, t similarity.TowerPair, why string) similarity.Evidence {
	e := evidence(test, axis, t)
	e.Skipped = why
	return e
}

// layers picks the layer pairs a test reads: within the budget, evenly
// spread, the first layer only if there is no other.
func layers(p *similarity.Pair, t similarity.TowerPair, cost func(*roles.Layer) int64) []similarity.LayerPair {
	all := t.Layers
	if len(all) > 1 && all[0].B == 0 {
		all = all[1:]
	}
	if len(all) == 0 {
		return nil
	}
	each := max(cost(t.A.Layers[all[0].A]), cost(t.B.Layers[all[0].B]))
	n := p.Afford(each, len(all))
	var out []similarity.LayerPair
	for _, i := range similarity.Spread(len(all), n) {
		out = append(out, all[i])
	}
	return out
}
