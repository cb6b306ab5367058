package calibrated

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// nullAgreement is the null of the agreement of two views.
const nullAgreement = "two independently trained networks agree on units no more than the control population does"

// Agreement counts the units of B whose best partner in A, found by the gate
// view and by the up view each on its own and in both directions, is the same
// unit. Layer 0 is left out where there are others: it answers to tokens.
func Agreement(stage int) *similarity.Test {
	return &similarity.Test{Name: "agreement", Doc: "units that find the same partner through two views", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		axes, err := axis.Read(ctx, p, stage)
		if err != nil {
			return nil, err
		}
		var out []similarity.Evidence
		for _, coordinates := range []string{"raw", "anchored"} {
			out = append(out, agreementOf(axes, coordinates)...)
		}
		return out, nil
	}}
}

// agreementOf runs over the axes of one system of coordinates.
func agreementOf(axes []*axis.Axis, coordinates string) []similarity.Evidence {
	total := similarity.Evidence{Test: "agreement", Axis: "mlp (" + coordinates + ")", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullAgreement}
	var layers []similarity.Evidence
	for _, x := range axes {
		if x.Table || x.Coordinates != coordinates || x.Component != "mlp" && x.Component != "experts" {
			continue
		}
		count, n, ok := AgreeingUnits(x)
		if !ok {
			continue
		}
		e := total
		e.Tower, e.Axis, e.LayerA, e.LayerB = x.Tower, x.Name+" ("+coordinates+")", x.LayerA, x.LayerB
		e.Statistic, e.N, e.Effect = float64(count), n, float64(count)/float64(n)
		layers = append(layers, e)
	}
	for _, e := range layers {
		if e.LayerB == 0 && len(layers) > 1 {
			continue
		}
		total.Statistic += e.Statistic
		total.N += e.N
	}
	if total.N == 0 {
		total.Skipped = fmt.Sprintf("no layer shows its units through two views in %s coordinates", coordinates)
		return []similarity.Evidence{total}
	}
	total.Effect = total.Statistic / float64(total.N)
	return append([]similarity.Evidence{total}, layers...)
}

// AgreeingUnits counts the agreeing units of one axis, and the units that could have
// agreed. ok is false for axes without two views.
func AgreeingUnits(x *axis.Axis) (count, n int, ok bool) {
	var gate, up *axis.View
	for i := range x.Views {
		switch x.Views[i].Name {
		case "gate":
			gate = &x.Views[i]
		case "up":
			up = &x.Views[i]
		}
	}
	if gate == nil || up == nil {
		return 0, 0, false
	}
	matcher := x.Matcher()
	a, b := matcher.Mutual(gate.Likeness()), matcher.Mutual(up.Likeness())
	for j := range a {
		if a[j] >= 0 && a[j] == b[j] {
			count++
		}
	}
	n = min(x.A.Count(), x.B.Count())
	return count, n, n > 0
}
