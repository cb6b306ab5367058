package index

import (
	"context"
	"math"
	"math/bits"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Pair is two entries that were tested because they are near each other.
type Pair struct {
	A, B      int64 // numbers of records, A < B
	Same      bool  // the values are the same
	P         *stats.LogP
	Test      string // that gave P
	Alike, Of int32  // units that the same tokens find, of so many that were asked for; calibrated
}

// limits of the four distances within which two entries are tested: first of their
// keys, then of their whole summaries. Between strangers the bits are fair coins.
// Those of keys are passed by 3 pairs of a thousand, those of summaries by some 2 of
// ten million by units; of tokens see tokenLimit. The exact tests then sort them out. Two
// units whose cosine is c differ in a share arccos(c)/π of their bits: from .27 on they are
// within the second limit more often than not, from .35 on within both with probability .97.
var (
	keyLimits     = [channels]int{158, 44, -6, 100}  // of 384, 128, -, 256: -3.5 deviations
	summaryLimits = [channels]int{424, 424, -6, 194} // of 1024, 1024, -, 512: -5.5 deviations
)

func within(d, limits [channels]int) bool {
	for c := range d {
		if d[c] <= limits[c] {
			return true
		}
	}
	return false
}

// Deviations by which tokens' bits of keys and of summaries have to be nearer than those of
// strangers.
const (
	keyTokenDeviations     = 2.5
	summaryTokenDeviations = 4
)

// tokenLimit is the limit of tokens' bits of two entries, no more than most. A bit of which
// no pair of tokens takes the place is zero on both sides and says nothing: 26 of 512 among
// 96 tokens, 138 among 64, whose strangers would all be near for that alone. About half of
// the others are set on each side, so those set on both sides together are as many as
// count; the distance of strangers is half of these, with a deviation of half their root.
func tokenLimit(most int, deviations float64, a, b []uint64) int {
	n := 0.0
	for w := range a {
		n += float64(bits.OnesCount64(a[w]) + bits.OnesCount64(b[w]))
	}
	return min(most, int(math.Floor(n/2-float64(deviations/2*math.Sqrt(n)))))
}

// rowsTogether is how many blocks of rows are held against a block of columns while that
// is at hand: keys and records of columns are read and verified once for all of these.
const rowsTogether = 16

// Pairs holds each record of [first, last) against all later ones and visits those
// that were tested, in order. So the pairs of an index can be shared among machines
// by ranges, and what these find put together is what one finds. Pairs of which one
// cannot be read are an error.
func (x *Index) Pairs(ctx context.Context, first, last int64, visit func(Pair) error) error {
	return x.pairs(ctx, first, last, rowsTogether, visit)
}

func (x *Index) pairs(ctx context.Context, first, last, together int64, visit func(Pair) error) error {
	last = min(last, x.count)
	t := &tile{x: x, columns: newRecords(x), entries: map[int64]Entry{}}
	for k := first / blockSize; k*blockSize < last; k += together {
		if err := t.begin(k, together, first, last); err != nil {
			return err
		}
		for j := k; j*blockSize < x.count; j++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.find(j); err != nil {
				return err
			}
		}
		if err := t.test(ctx, visit); err != nil {
			return err
		}
	}
	return nil
}

// askedOf takes a key as one that others are held against.
func askedOf(b []byte) *asked {
	var a asked
	a.length, a.hidden, a.dim = le.Uint32(b[atLength:]), le.Uint32(b[atHidden:]), le.Uint16(b[atDim:])
	at := atUnits
	for _, words := range [...][]uint64{a.units[0][:], a.units[1][:], a.units[2][:], a.residual[:], a.tokens[:], a.profiles[0][:], a.profiles[1][:], a.places[:]} {
		for w := range words {
			words[w] = le.Uint64(b[at:])
			at += 8
		}
	}
	a.complete()
	return &a
}

// testable tells whether a record is of an entry that holds something to be tested.
func (x *Index) testable(flags uint16, number int64) bool {
	_, gone := x.contents.Load().dead[number]
	return !gone && flags&(keyRemoval|keyBad|flagQuarantined) == 0
}

// nearSummary does so of their summaries.
func nearSummary(a, b *Summary) bool {
	limits, far := summaryLimits, a.distances(b)
	if far[tokens] <= limits[tokens] {
		limits[tokens] = tokenLimit(limits[tokens], summaryTokenDeviations, a.Tokens[:], b.Tokens[:])
	}
	return within(far, limits)
}

func pairOf(a, b int64, ea, eb Entry) Pair {
	f, g := ea.Fingerprint, eb.Fingerprint
	p := Pair{A: a, B: b, Same: f.Complete && g.Complete && f.Root == g.Root}
	all := sketches.Run(f, g)
	if best, log := sketches.Best(all); best != nil {
		p.P, p.Test = &log, best.Test
	}
	for _, e := range all {
		if e.Tier == similarity.Calibrated {
			p.Alike, p.Of = int32(e.Statistic), int32(e.N)
		}
	}
	return p
}
