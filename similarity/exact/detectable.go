package exact

import (
	"math"

	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Detectable is the weakest likeness that the tests on labels would have found in one
// part of a network.
type Detectable struct {
	Component string
	Tower     string
	Cosine    float64 // least mean cosine of units with their namesakes that is found with probability 0.99; 1 where none is
	Units     int
	Axes      int
}

// Detect computes for every component what label-e or fixed-points would have found on
// its axes, each in the coordinates where that is least, at the given level.
func Detect(axes []*axis.Axis, level stats.LogP) (out []Detectable) {
	parts := map[[3]string][]*axis.Axis{}
	var order [][3]string
	for _, x := range axes {
		if x.Skipped != "" || x.Table || len(x.Views) == 0 {
			continue
		}
		key := [3]string{x.Tower, x.Component, x.Coordinates}
		if parts[key] == nil {
			order = append(order, key)
		}
		parts[key] = append(parts[key], x)
	}
	for _, key := range order {
		d := detect(parts[key], level)
		at := len(out)
		for i, o := range out {
			if o.Tower == d.Tower && o.Component == d.Component {
				at = i
			}
		}
		switch {
		case at == len(out):
			out = append(out, d)
		case d.Cosine < out[at].Cosine:
			out[at] = d
		}
	}
	return out
}

func detect(axes []*axis.Axis, level stats.LogP) Detectable {
	d := Detectable{Component: axes[0].Component, Tower: axes[0].Tower, Cosine: 1, Axes: len(axes)}
	var features float64 // Σ n·d over axes
	for _, x := range axes {
		n := min(x.A.Count(), x.B.Count())
		d.Units += n
		if s := x.Views[0].Spread; s > 0 && x.A.Total == x.B.Total {
			features += float64(n) / (s * s)
		}
	}
	d.Cosine = min(byBets(features, level), byFixedPoints(axes, level))
	return d
}

// What the block permanents of label-e lose against the likelihood ratio of all labels:
// a unit is weighed against the nine others of its block only, so that a part of the
// information is left aside, and a grid of six likenesses and the mixture with fixed
// points cost their logarithms. Simulations of 64 to 1,024 units of 24 to 200 features
// keep 0.77 and more (TestDetectableIsDetected).
const blockEfficiency = 0.75

var betCost = math.Log(12)

// byBets is the least correlation ρ of Gaussian rows that label-e finds with
// probability 0.99, for n units of d features with n·d in all. The logarithm of the
// likelihood ratio has mean μ = −½·nd·ln(1−ρ²) and variance 2μ, to first order; an
// optimal test finds ρ = 9.1/√(nd) at 1e-9.
func byBets(features float64, level stats.LogP) float64 {
	const quantile = 2.326
	need := betCost - float64(level)
	root := (quantile*math.Sqrt2 + math.Sqrt(2*quantile*quantile+4*need)) / 2 // of what the blocks keep
	mean := root * root / blockEfficiency
	if !(features > 0) {
		return 1
	}
	return math.Sqrt(-math.Expm1(-2 * mean / features))
}

// byFixedPoints is the least cosine that fixed points find, by bisection.
func byFixedPoints(axes []*axis.Axis, level stats.LogP) float64 {
	const steps = 12
	low, high := 0.0, 1.0
	if !FixedPointPower(axes, high, level).Reached {
		return high
	}
	for range steps {
		if middle := (low + high) / 2; FixedPointPower(axes, middle, level).Reached {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
