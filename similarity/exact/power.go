package exact

import (
	"math"

	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Power says what the exact tests would have found.
type Power struct {
	Cosine   float64 // of a hypothetical child's units with their originals
	Units    int     // eligible units that took part
	Axes     int
	Expected float64 // fixed points such a child would show
	Reached  bool    // it would have been found with probability 0.99 or more
}

// FixedPointPower computes the power of the pooled fixed-point test on the
// given axes against a child whose units have the given mean cosine with
// their originals, at the given level. The chance of a unit finding its
// original is taken from the spread of the cosines that the axis itself
// shows between different units.
func FixedPointPower(axes []*axis.Axis, cosine float64, level stats.LogP) Power {
	p := Power{Cosine: cosine}
	expected, variance := 0.0, 0.0
	var ordered []stats.LogP
	for _, x := range axes {
		if x.Skipped != "" || len(x.Views) == 0 {
			continue
		}
		n := min(x.A.Count(), x.B.Count())
		if x.A.Total != x.B.Total {
			// Units of the smaller side find their originals among all of the
			// larger: the order test sees them.
			q := hit(cosine, x.Views[0].Spread, max(x.A.Count(), x.B.Count()))
			p.Axes++
			p.Units += n
			p.Expected += float64(n) * q
			ordered = append(ordered, stats.Ordered(n, int(float64(n)*q-2.33*math.Sqrt(float64(n)*q*(1-q)))))
			continue
		}
		q := hit(cosine, x.Views[0].Spread, n)
		p.Axes++
		p.Units += n
		p.Expected += float64(n) * q
		expected += float64(n) * q
		variance += float64(n) * q * (1 - q)
	}
	fixed := p.Axes - len(ordered)
	least := int(expected - 2.33*math.Sqrt(variance))
	p.Reached = fixed > 0 && stats.FixedPoints(least, fixed) <= level || len(ordered) > 0 && stats.Fisher(ordered) <= level
	return p
}

// hit is the chance that a unit whose cosine with its original is c, give or
// take s, exceeds the largest of n−1 cosines with strangers of spread s.
func hit(c, s float64, n int) float64 {
	if s == 0 {
		return 1
	}
	const steps = 64
	sum := 0.0
	for k := range steps {
		// Midpoints of equal slices of the normal distribution between ±4.
		z := -4 + 8*(float64(k)+0.5)/steps
		w := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * 8 / steps
		below := 0.5 * math.Erfc(-(c+s*z)/s/math.Sqrt2)
		sum += w * math.Pow(below, float64(n-1))
	}
	return sum
}
