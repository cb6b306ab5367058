package sketches

import (
	"math"
	"math/bits"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/stats"
)

// AnswersResult is what two answers have in common.
type AnswersResult struct {
	Axes      int // axes that were tested
	Matching  int // pairs nearest to the pair at the same place
	Pairs     int // pairs that were tested
	Repeated  int // axes left out because they repeat another one
	P         stats.LogP
	Agreement float64 // share of equal bits at the same place; ½ for strangers
}

// minPairs is the fewest pairs of an axis that are tested.
const minPairs = 8

// words is the number of words of a pair's sketch.
const words = commitment.SketchBits / 64

// TestAnswers holds two answers to a challenge against each other: the
// fixed-point test on sketches of pairs of units that neither party could
// foresee.
//
// Null: the two models come from independent random initialisations. Pairs of
// units are drawn by the challenge, the same on both sides. Under the null the
// units of an axis carry their labels in uniformly random order as seen from
// the other model, so the pairs, as blocks of two, do so too, and with L axes
// the chance of K pairs that are nearest to the pair at the same place is at
// most L^K/K! (docs/STATISTICS.md). It holds for every model on the other
// side, also one made to match.
//
// Axes are held together by name where both sides have the same; else each of B is held
// against the one of A to which the first half of its pairs points, and tested
// on the second half.
func TestAnswers(challenge fingerprint.Digest, a, b []commitment.AxisSketch) AnswersResult {
	t := &tester{seed: challenge[:]}
	same := slices.EqualFunc(a, b, func(x, y commitment.AxisSketch) bool { return x.Axis == y.Axis })
	var done []held
	var r AnswersResult
	equal := 0
	for i := range b {
		h := held{b: &b[i]}
		if same {
			h.a = &a[i]
		} else {
			h.a, h.from = t.partner(a, h.b)
		}
		if h.a == nil || !alike(h.a, h.b) {
			continue
		}
		hits, n := t.fixed(h.a, h.b, h.from, len(h.b.Eligible))
		if n < minPairs {
			continue
		}
		if slices.ContainsFunc(done, func(o held) bool { return o.a == h.a || t.repeats(o.a, h.a) && t.repeats(o.b, h.b) }) {
			r.Repeated++
			continue
		}
		done = append(done, h)
		r.Matching += hits
		r.Pairs += n
		equal += h.agreement()
	}
	r.Axes = len(done)
	r.P = stats.FixedPoints(r.Matching, r.Axes)
	if r.Pairs > 0 {
		r.Agreement = float64(equal) / float64(r.Pairs*commitment.SketchBits)
	}
	return r
}

// held is an axis of B with the one of A that it is held against; pairs before
// from were used to choose it.
type held struct {
	a, b *commitment.AxisSketch
	from int
}

// agreement counts equal bits of the tested pairs.
func (h held) agreement() int {
	n := 0
	for i := h.from; i < len(h.b.Eligible); i++ {
		if h.a.Eligible[i] && h.b.Eligible[i] {
			n += commitment.SketchBits - distance(h.a, i, h.b, i)
		}
	}
	return n
}

// alike tells whether two sketches are of the same pairs along the same
// projections.
func alike(a, b *commitment.AxisSketch) bool {
	return a.Length == b.Length && a.Dim == b.Dim && len(a.Eligible) == len(b.Eligible)
}

func distance(a *commitment.AxisSketch, i int, b *commitment.AxisSketch, j int) int {
	n := 0
	for w := range words {
		n += bits.OnesCount64(a.Words[i*words+w] ^ b.Words[j*words+w])
	}
	return n
}

type tester struct{ seed []byte }

// partner picks an axis of A for one of B, and the first pair that may be
// tested after the choice.
func (t *tester) partner(a []commitment.AxisSketch, b *commitment.AxisSketch) (*commitment.AxisSketch, int) {
	var best *commitment.AxisSketch
	most, half := -1, len(b.Eligible)/2
	for i := range a {
		if !alike(&a[i], b) {
			continue
		}
		if hits, _ := t.fixed(&a[i], b, 0, half); hits > most {
			best, most = &a[i], hits
		}
	}
	return best, half
}

// fixed counts the pairs of B from first to last whose nearest sketch of A, among
// those places, stands at the same place. Ties go to the first in an order drawn
// at random, so that order cannot make a match.
func (t *tester) fixed(a, b *commitment.AxisSketch, first, last int) (hits, n int) {
	order := slices.DeleteFunc(rng.New(t.seed, "ties of "+b.Axis).Perm(len(a.Eligible)), func(i int) bool { return i < first || i >= last })
	for j := first; j < last; j++ {
		if !b.Eligible[j] || !a.Eligible[j] {
			continue
		}
		best := nearest(order, a.Eligible, func(i int) int { return distance(a, i, b, j) })
		n++
		if best == j {
			hits++
		}
	}
	return hits, n
}

// nearest is the eligible place at the least distance, the first in order where
// several are, -1 if there is none.
func nearest(order []int, eligible []bool, distance func(i int) int) int {
	best, least := -1, math.MaxInt
	for _, i := range order {
		if !eligible[i] {
			continue
		}
		if d := distance(i); d < least {
			best, least = i, d
		}
	}
	return best
}

// repeats tells whether two axes of one side hold much the same units, as after
// depth-upscaling. What they say then is said once.
func (t *tester) repeats(a, b *commitment.AxisSketch) bool {
	if !alike(a, b) {
		return false
	}
	hits, n := t.fixed(a, b, 0, len(b.Eligible))
	return 2*hits > n
}

// Forged is the least number of sketches that one party must have forged for a
// likeness as large as r's, if the models were strangers: all matching pairs
// but those that chance could have given even to a party that chose which of
// its sketches to leave honest.
//
// That s honest pairs of a given choice all match has probability at most
// Π1/s_l! over the axes, so with N pairs on L axes any choice does with
// probability at most C(N,s)/Γ(s/L+1)^L (the multinomial theorem, and Jensen
// for lnΓ). Forged counts from the largest s for which this exceeds level.
func (r AnswersResult) Forged(level stats.LogP) int {
	for s := r.Matching; s > 0; s-- {
		if r.chosen(s) > float64(level) {
			return r.Matching - s
		}
	}
	return r.Matching
}

// chosen is the logarithm of that bound.
func (r AnswersResult) chosen(s int) float64 {
	choices := stats.LogFactorial(float64(r.Pairs)) - stats.LogFactorial(float64(s)) - stats.LogFactorial(float64(r.Pairs-s))
	return choices - float64(r.Axes)*stats.LogFactorial(float64(s)/float64(max(1, r.Axes)))
}
