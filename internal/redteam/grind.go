package redteam

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/closed"
	"github.com/weightprint/weightprint/report/verdict"
)

// small is a network that is answered for quickly.
func small(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 128, Heads: 2, KVHeads: 2, HeadDim: 8, Vocab: 4}
	return zoo.Random(rand.New(rand.NewPCG(seed, 4)), s, zoo.Quirks{})
}

// GrindCommitment is a party that commits last, without a beacon, and tries
// secrets until a stranger's public model looks alike under the challenge that
// comes of it. A secret tried is a commitment tried; only its root enters the
// challenge.
func GrindCommitment(ctx context.Context, tries int) (Result, error) {
	r := Result{Attack: "commit last, try secrets until a stranger looks related", Setting: fmt.Sprintf("no beacon, %d tries", tries)}
	mine, theirs := small(1), small(2)
	best := 0.0
	var least verdict.Number
	related := 0
	for i := range tries {
		var tried fingerprint.Digest
		binary.LittleEndian.PutUint64(tried[:], uint64(i)+1)
		c, err := commitment.NewChallenge("", 1, commitment.Commitment{Root: fingerprint.Digest{31: 1}}, commitment.Commitment{Root: tried})
		if err != nil {
			return r, err
		}
		s, found, err := challenged(ctx, c, mine, theirs)
		if err != nil {
			return r, err
		}
		best = math.Min(best, found.P.Log10())
		x := closed.New(c, nil, true, closed.Party{Sketches: s[0]}, closed.Party{Sketches: s[1]})
		least = min(least, x.Comparison.Log10P)
		if x.Comparison.Relation == verdict.Related {
			related++
		}
	}
	r.Outcome = fmt.Sprintf("best log10 p %.1f before the charge for tries, %.1f after it; %d related", best, float64(least), related)
	r.Holds = related == 0 && float64(least) > -9
	return r, nil
}

// GrindOpenings is a party that forges sketches and looks for an answer whose
// draw opens none of them: without second beacon value by changing a bit of a
// forged sketch and drawing anew, with it by luck alone.
func GrindOpenings(ctx context.Context, forged, open, trials int) (alone, beacon Result, err error) {
	m := small(1)
	o, err := commitment.Commit(ctx, m, commitment.Secret{1})
	if err != nil {
		return alone, beacon, err
	}
	c, err := commitment.NewChallenge("beacon", open, o.Commitment())
	if err != nil {
		return alone, beacon, err
	}
	r, err := commitment.Respond(ctx, m, o, c, "")
	if err != nil {
		return alone, beacon, err
	}
	total, _ := r.Pairs()
	miss := commitment.MissProbability(total, forged, open)
	escapes, tries := 0, 0
	for escapes < 20 {
		tries++
		r.Answer.Sketches[0].Words[0]++ // the forger's own bits
		if escaped(r, c, forged) {
			escapes++
		}
	}
	setting := fmt.Sprintf("%d of %d forged, %d opened", forged, total, open)
	per := float64(tries) / float64(escapes)
	alone = Result{Attack: "forge sketches, try answers until none of them is opened", Setting: setting + ", no second beacon", Outcome: fmt.Sprintf("an escape every %.0f tries, stated %.0f; check charges for 2^64 tries, so it claims nothing", per, 1/miss), Holds: per > 0.5/miss && per < 2/miss}
	lucky := 0
	for i := range trials {
		r.Beacon = fmt.Sprint("later ", i)
		if escaped(r, c, forged) {
			lucky++
		}
	}
	spread := 4*math.Sqrt(float64(trials)*miss*(1-miss)) + 1
	beacon = Result{Attack: "forge sketches, one answer", Setting: setting + ", with second beacon", Outcome: fmt.Sprintf("%d of %d escaped, stated %.1f", lucky, trials, miss*float64(trials)), Holds: math.Abs(float64(lucky)-miss*float64(trials)) <= spread}
	return alone, beacon, nil
}

// escaped tells whether the draw opens none of the first n pairs.
func escaped(r *commitment.Response, c *commitment.Challenge, n int) bool {
	before := 0
	at := map[int]int{}
	for k, s := range r.Answer.Sketches {
		at[k] = before
		before += len(s.Eligible)
	}
	for _, s := range r.Opened(c) {
		if at[s.Axis]+s.Pair < n {
			return false
		}
	}
	return true
}
