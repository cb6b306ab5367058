package axis

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// imbalance is how unevenly the units of a gated MLP divide their strength
// between gate and up: the median absolute deviation of ln(‖upⱼ‖/‖gateⱼ‖) from
// its median. Scaling up by c and down by 1/c leaves the network as it is, but
// training keeps the two balanced: under gradient descent ‖upⱼ‖² − ‖downⱼ‖²
// does not change, and decay shrinks it (Du, Hu, Lee 2018). Units scaled at
// random are unbalanced for good. ok is false without both views.
func imbalance(gate, up *Rows, eligible []bool) (spread float64, ok bool) {
	if gate == nil || up == nil || gate.N != up.N {
		return 0, false
	}
	var ratios []float64
	ofUp := dense.Norms(up.Raw, up.N, up.Dim)
	for i, g := range dense.Norms(gate.Raw, gate.N, gate.Dim) {
		if u := ofUp[i]; eligible[i] && g > 0 && u > 0 {
			ratios = append(ratios, math.Log(u/g))
		}
	}
	if len(ratios) < MinUnits {
		return 0, false
	}
	slices.Sort(ratios)
	middle := ratios[len(ratios)/2]
	for i, r := range ratios {
		ratios[i] = math.Abs(r - middle)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], true
}

// weigh takes the imbalance of both sides of an axis.
func (x *Axis) weigh(views []bothSides) {
	var gate, up *bothSides
	for i := range views {
		switch views[i].plan.name {
		case "gate":
			gate = &views[i]
		case "up":
			up = &views[i]
		}
	}
	if gate == nil || up == nil {
		return
	}
	a, okA := imbalance(&gate.a, &up.a, x.A.Eligible)
	b, okB := imbalance(&gate.b, &up.b, x.B.Eligible)
	if okA && okB {
		x.Imbalance = &[2]float64{a, b}
	}
}
