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
	Test      string              // that gave P
	Agreement similarity.Evidence // units that the same tokens find; calibrated
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

// Pairs holds each record of [first, last) against all later ones and visits those
// that were tested, in order. So the pairs of an index can be shared among machines
// by ranges, and what these find put together is what one finds. Pairs of which one
// cannot be read are an error.
func (x *Index) Pairs(ctx context.Context, first, last int64, visit func(Pair) error) error {
	last = min(last, x.count)
	t := newTile(x, first, last)
	for k := first / blockSize; k*blockSize < last; k++ {
		if err := t.begin(k); err != nil {
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

// tile is a block of rows against a block of columns, and what was found in the row
// of blocks so far.
type tile struct {
	x             *Index
	first, last   int64 // rows that are asked for
	row, column   int64 // numbers of the first records of the blocks
	queries       []*asked
	sought        []*sought // nil for rows that are not asked for
	space         keySpace
	rows, columns *records
	far           apart
	near          [blockSize][]int64
	entries       map[int64]Entry
}

func newTile(x *Index, first, last int64) *tile {
	return &tile{x: x, first: first, last: last, rows: newRecords(x), columns: newRecords(x), entries: map[int64]Entry{}}
}

// begin turns to a block of rows.
func (t *tile) begin(k int64) error {
	own, err := t.x.block(k, &t.space)
	if err != nil {
		return err
	}
	t.row, t.queries, t.sought = k*blockSize, nil, nil
	for i := range own.n {
		key, number := own.key(i), t.row+int64(i)
		a := askedOf(key[:])
		var s *sought
		if number >= t.first && number < t.last && t.x.testable(own.flags(i), number) {
			s = seek(a)
			s.within(keyLimits)
		}
		t.queries, t.sought = append(t.queries, a), append(t.sought, s)
	}
	for i := range t.near {
		t.near[i] = t.near[i][:0]
	}
	clear(t.entries)
	return t.rows.begin(k, blockSize)
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

// find notes the pairs with a block of columns whose keys and summaries are near.
func (t *tile) find(j int64) error {
	columns, err := t.x.block(j, &t.space)
	if err != nil {
		return err
	}
	t.column = j * blockSize
	begun := false
	for i, s := range t.sought {
		if s == nil {
			continue
		}
		columns.compare(t.queries[i], s, &t.far)
		for c := max(0, t.row+int64(i)+1-t.column); c < int64(columns.n); c++ {
			if t.far.hits[c/8] == 0 {
				c |= 7
				continue
			}
			if !t.far.hit(int(c)) || !t.nearKey(i, columns, int(c)) || !t.x.testable(columns.flags(int(c)), t.column+c) {
				continue
			}
			if !begun {
				if err := t.columns.begin(j, blockSize); err != nil {
					return err
				}
				begun = true
			}
			if err := t.ask(i, t.column+c); err != nil {
				return err
			}
		}
	}
	return nil
}

// nearKey tells whether the key of a row is near that of a column.
func (t *tile) nearKey(i int, columns *block, c int) bool {
	limits, far := keyLimits, t.far.distances(c)
	if far[tokens] <= limits[tokens] {
		other := columns.tokens(c)
		limits[tokens] = tokenLimit(limits[tokens], keyTokenDeviations, t.queries[i].tokens[:], other[:])
	}
	return within(far, limits)
}

// nearSummary does so of their summaries.
func nearSummary(a, b *Summary) bool {
	limits, far := summaryLimits, a.distances(b)
	if far[tokens] <= limits[tokens] {
		limits[tokens] = tokenLimit(limits[tokens], summaryTokenDeviations, a.Tokens[:], b.Tokens[:])
	}
	return within(far, limits)
}

// ask asks the summaries of a row and a column, and notes a pair that is to be tested.
func (t *tile) ask(i int, b int64) error {
	of, err := t.rows.need(t.row + int64(i))
	if err != nil {
		return err
	}
	other, err := t.columns.need(b)
	if err == nil && nearSummary(of, other) {
		t.near[i] = append(t.near[i], b)
	}
	return err
}

// test tests what was found.
func (t *tile) test(ctx context.Context, visit func(Pair) error) error {
	for i, near := range t.near {
		a := t.row + int64(i)
		for _, b := range near {
			if err := ctx.Err(); err != nil {
				return err
			}
			ea, err := t.entry(ctx, a)
			if err != nil {
				return err
			}
			eb, err := t.entry(ctx, b)
			if err != nil {
				return err
			}
			if err := visit(pairOf(a, b, ea, eb)); err != nil {
				return err
			}
		}
	}
	return nil
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
			p.Agreement = e
		}
	}
	return p
}

// entriesHeld is how many entries of a row of blocks are held in memory.
const entriesHeld = 256

func (t *tile) entry(ctx context.Context, number int64) (Entry, error) {
	if e, ok := t.entries[number]; ok {
		return e, nil
	}
	if len(t.entries) >= entriesHeld {
		clear(t.entries)
	}
	e, err := t.x.At(ctx, number)
	if err == nil {
		t.entries[number] = e
	}
	return e, err
}
