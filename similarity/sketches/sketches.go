// Package sketches runs exact tests on two published fingerprints, without
// weights. What it finds is a reason to compare weights and no more: a sketch
// under a public seed can be forged by changing about one percent of a model.
//
//   - fixed points of sketched MLP units: the same order kept, as in
//     fine-tunes, merges, quantisation, with layers dropped or repeated;
//   - fixed points of residual dimensions on token rows: embeddings alone;
//   - order of the units that the same tokens find: residual dimensions
//     permuted, rotated or pruned, MLPs made narrower;
//   - signs of those units: units permuted;
//   - signs of the products among untouched embeddings: whatever was done to
//     the rest.
//
// Of a copy whose units were both permuted and turned at random, and whose
// embeddings were all in use, no exact test on fingerprints or weights can say
// anything; for it the agreement of what tokens find is reported, without a
// p-value.
//
// TestAnswers runs the fixed-point test on sketches of pairs of units that
// neither party could foresee, because a challenge drew them.
package sketches

import (
	"math"
	"math/bits"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

const null = "A and B come from independent random initialisations; the sketched units of an axis are exchangeable"

// ExactTests is how many pooled exact tests Run holds: the p-value of the best of
// them is corrected for this number.
const ExactTests = 5

// Run holds two fingerprints against each other. The pooled results, those
// with LayerB < 0, come first.
func Run(a, b *fingerprint.Fingerprint) []similarity.Evidence { return Prepare(b).Run(a) }

// Prepared is a fingerprint that many are held against.
type Prepared struct {
	sketches []*fingerprint.Sketch // of hidden units, that may be tested
	residual *fingerprint.Sketch
	probed   []layer // that may be tested
	tokens   *fingerprint.Tokens
	products *products // of tokens
}

// Prepare works out what the tests use of a fingerprint.
func Prepare(f *fingerprint.Fingerprint) *Prepared {
	p := prepare(f)
	if p.tokens != nil {
		p.products = productsOf(p.tokens)
	}
	return p
}

// prepare leaves out the products of tokens, which few are asked for.
func prepare(f *fingerprint.Fingerprint) *Prepared {
	g := groundOf(f)
	return &Prepared{sketches: usable(f, g), residual: residual(f, g), probed: probed(f, g), tokens: f.Tokens}
}

// ground tells of each sketch of a fingerprint whether it is ground for a test.
type ground []bool

func groundOf(f *fingerprint.Fingerprint) ground {
	g := make(ground, len(f.Sketches))
	for i := range f.Sketches {
		g[i] = !structured(&f.Sketches[i])
	}
	return g
}

// Run is the function Run with the prepared fingerprint as b.
func (b *Prepared) Run(f *fingerprint.Fingerprint) []similarity.Evidence {
	a := prepare(f)
	out := make([]similarity.Evidence, pooled, pooled+len(b.sketches))
	mlp, layers := mlpFixedPoints(a, b, out[pooled:])
	order, signs, agreement := probes(a, b)
	copy(out, []similarity.Evidence{mlp, residualFixedPoints(a, b), tokenSigns(a, b), order, signs, agreement})
	return out[:pooled+len(layers)]
}

// pooled is how many pooled results Run gives, the exact ones and the agreement.
const pooled = ExactTests + 1

// Best returns the pooled exact result with the smallest p-value, corrected for
// having looked at all of them; nil if none ran.
func Best(all []similarity.Evidence) (*similarity.Evidence, stats.LogP) {
	var best *similarity.Evidence
	for i := range all {
		if e := &all[i]; e.P != nil && e.LayerB < 0 && (best == nil || *e.P < *best.P) {
			best = e
		}
	}
	if best == nil {
		return nil, 0
	}
	return best, stats.Bonferroni(*best.P, ExactTests)
}

// evidence is a pooled result to be filled in.
func evidence(test, axis, component string) similarity.Evidence {
	return similarity.Evidence{Test: test, Axis: axis, Component: component, Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Exact, Null: null, Warnings: warnings[:1:1]}
}

var warnings = [...]string{"screening: from fingerprints"}

// repeated tells whether two sketches of one model are of copies: a layer that
// stands twice must not count twice.
func repeated(s, o *fingerprint.Sketch) bool {
	if !s.Alike(o) {
		return false
	}
	return half(s, o)
}

const (
	// minUnits is the fewest eligible units of an axis that are tested.
	minUnits = 8
	// trendZ is how many standard deviations Kendall's S of an axis' lengths
	// may lie off zero: an axis whose units were sorted is no ground for a
	// test, and eight sorted units give 3.5. One in 1,000 good axes is lost.
	trendZ = 3.3
	// leastRank is the smallest effective rank of an axis' units.
	leastRank = 8
)

// structured tells whether an axis is no ground for a test by the look of it
// alone: too few units, sorted units, or units of few directions.
func structured(s *fingerprint.Sketch) bool {
	n := count(s.Eligible)
	m := float64(n)
	return n < minUnits || math.Abs(float64(s.Trend)) > trendZ*math.Sqrt(m*(m-1)*(2*m+5)/18) || squaredCosine(s) > 1.0/leastRank
}

// squares are the squared cosines of units by the bits in which they differ.
var squares = func() (out [fingerprint.SketchBits + 1]float64) {
	for d := range out {
		c := math.Cos(math.Pi * float64(d) / fingerprint.SketchBits)
		out[d] = c * c
	}
	return out
}()

// squaredCosine estimates the mean squared cosine of pairs of units from the
// bits that they share. Random signs alone give (π/2)²/bits, which is taken
// off.
func squaredCosine(s *fingerprint.Sketch) float64 {
	sum, pairs := 0.0, 0
	for i := range s.Units {
		if !s.Eligible[i] {
			continue
		}
		unit := wordsOf(s, i)
		for j := range i {
			if s.Eligible[j] {
				sum += squares[apart(unit, wordsOf(s, j))]
				pairs++
			}
		}
	}
	return sum/float64(max(1, pairs)) - math.Pi*math.Pi/4/fingerprint.SketchBits
}

// Testable tells whether a fingerprint holds anything that a test may use. One
// of nothing but constant, repeated or generic units does not.
func Testable(f *fingerprint.Fingerprint) bool {
	g := groundOf(f)
	if len(usable(f, g)) > 0 || residual(f, g) != nil || f.Tokens != nil {
		return true
	}
	for i := range f.Probes {
		if l := layerOfProbes(&f.Probes[i]); len(l.byPlace) >= minProbes && sound(f, g, l.Axis) {
			return true
		}
	}
	return false
}

// ProfilesAlike tells whether two profiles of fingerprint.Probes are of units
// that look alike, turned round or not.
func ProfilesAlike(a, b uint64) bool {
	d := bits.OnesCount64(a ^ b)
	return min(d, profileBits-d) <= NearProfile
}
