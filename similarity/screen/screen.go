// Package screen runs the fixed-point test on two published fingerprints,
// without weights. What it finds is a reason to compare weights and no more: a
// sketch under a public seed can be forged by changing about one percent of a
// model.
package screen

import (
	"math"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity"
)

const null = "A and B come from independent random initialisations; the sketched units of an axis are exchangeable"

// minUnits is the fewest eligible units of an axis that are tested.
const minUnits = 8

// FixedPoints holds the sketches of two fingerprints against each other. Axes
// are paired by name; where networks differ in layers, every axis of B is
// paired with the axis of A that the first half of its units points to, and
// tested on the second half. The first result pools all axes, the others are
// axis by axis.
func FixedPoints(a, b *fingerprint.Fingerprint) []similarity.Evidence {
	total := similarity.Evidence{Test: "sketch-fixed-points", Axis: "sketches", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Exact, Null: null, Warnings: []string{"screening: from fingerprints"}}
	var out []similarity.Evidence
	for i := range b.Sketches {
		sb := &b.Sketches[i]
		sa, from := partner(a, sb, sameAxes(a, b))
		if sa == nil {
			continue
		}
		hits, n := fixed(sa, sb, from, len(sb.Units))
		if n < minUnits {
			continue
		}
		p := similarity.FixedPoints(hits, 1)
		e := total
		e.Axis, e.Statistic, e.N, e.Effect, e.P = sb.Axis, float64(hits), n, float64(hits)/float64(n), &p
		e.LayerA, e.LayerB = layerOf(sa.Axis), layerOf(sb.Axis)
		out = append(out, e)
		total.Statistic += float64(hits)
		total.N += n
	}
	if len(out) == 0 {
		total.Skipped = "no sketched axes of one shape"
		return []similarity.Evidence{total}
	}
	total.Effect = total.Statistic / float64(total.N)
	p := similarity.FixedPoints(int(total.Statistic), len(out))
	total.P = &p
	return append([]similarity.Evidence{total}, out...)
}

// sameAxes tells whether the two fingerprints sketch the same list of axes.
func sameAxes(a, b *fingerprint.Fingerprint) bool {
	if len(a.Sketches) != len(b.Sketches) {
		return false
	}
	for i := range a.Sketches {
		if a.Sketches[i].Axis != b.Sketches[i].Axis {
			return false
		}
	}
	return true
}

// partner picks the sketch of A for a sketch of B, and the first unit that may
// be tested after the choice.
func partner(a *fingerprint.Fingerprint, sb *fingerprint.Sketch, byName bool) (*fingerprint.Sketch, int) {
	var best *fingerprint.Sketch
	most := -1
	half := len(sb.Units) / 2
	for i := range a.Sketches {
		sa := &a.Sketches[i]
		if !sa.Alike(sb) {
			continue
		}
		if byName {
			if sa.Axis == sb.Axis {
				return sa, 0
			}
			continue
		}
		if hits, _ := fixed(sa, sb, 0, half); hits > most {
			best, most = sa, hits
		}
	}
	return best, half
}

// fixed counts the units of B from first to last whose nearest sketch of A
// stands at the same place; ties go to a unit drawn at random.
func fixed(sa, sb *fingerprint.Sketch, first, last int) (hits, n int) {
	order := rng.New([]byte("weightprint.screen/1"), sb.Axis).Perm(len(sa.Units))
	for j := first; j < last; j++ {
		if !sb.Eligible[j] {
			continue
		}
		best, least := -1, math.MaxInt
		for _, i := range order {
			if i < first || i >= last || !sa.Eligible[i] {
				continue
			}
			if d := sa.Distance(i, sb, j); d < least {
				best, least = i, d
			}
		}
		if best < 0 {
			continue
		}
		n++
		if best == j {
			hits++
		}
	}
	return hits, n
}

// layerOf reads the layer number out of an axis name, -1 if it has none.
func layerOf(axis string) int {
	_, rest, ok := strings.Cut(axis, "layers.")
	if !ok {
		return -1
	}
	n, any := 0, false
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n, any = n*10+int(c-'0'), true
	}
	if !any {
		return -1
	}
	return n
}
