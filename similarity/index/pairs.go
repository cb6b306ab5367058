package index

import (
	"context"
	"fmt"

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
// ten million, which the exact tests then sort out. Two units whose cosine is c differ
// in a share arccos(c)/π of their bits: from .27 on they are within the second limit
// more often than not, from .35 on within both with probability .97.
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

// Pairs holds each record of [first, last) against all later ones and visits those
// that were tested, in order. So the pairs of an index can be shared among machines
// by ranges, and what these find put together is what one finds. Pairs of which one
// cannot be read are an error.
func (x *Index) Pairs(ctx context.Context, first, last int64, visit func(Pair) error) error {
	last = min(last, x.count)
	rows, columns := make([]byte, blockSize*keyBytes), make([]byte, blockSize*keyBytes)
	for k := first / blockSize; k*blockSize < last; k++ {
		own, err := x.keysOf(k, rows)
		if err != nil {
			return err
		}
		t := tile{x: x, rows: own, row: k * blockSize, first: first, last: last, read: map[int64]*record{}, entries: map[int64]Entry{}}
		for j := k; j*blockSize < x.count; j++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if t.columns, err = x.keysOf(j, columns); err != nil {
				return err
			}
			t.column = j * blockSize
			t.find()
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
	rows, columns []byte
	row, column   int64 // numbers of the first records
	first, last   int64 // rows that are asked for
	near          [blockSize][]int64
	read          map[int64]*record
	entries       map[int64]Entry
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

// testable tells whether a key is of an entry that holds something to be tested.
func (x *Index) testable(b []byte, number int64) bool {
	_, gone := x.contents.Load().dead[number]
	return !gone && le.Uint16(b[atFlags:])&(keyRemoval|keyBad|flagQuarantined) == 0
}

// find notes the pairs whose keys are near.
func (t *tile) find() {
	for i := range int64(len(t.rows) / keyBytes) {
		number := t.row + i
		row := t.rows[i*keyBytes : (i+1)*keyBytes]
		if number < t.first || number >= t.last || !t.x.testable(row, number) {
			continue
		}
		query := askedOf(row)
		for j := max(0, number+1-t.column); j < int64(len(t.columns)/keyBytes); j++ {
			b := (*[keyBytes]byte)(t.columns[j*keyBytes:])
			if within(query.distances(b), keyLimits) && t.x.testable(b[:], t.column+j) {
				t.near[i] = append(t.near[i], t.column+j)
			}
		}
	}
}

// test asks the summaries of what was found, and tests what they leave.
func (t *tile) test(ctx context.Context, visit func(Pair) error) error {
	for i, near := range t.near {
		if err := ctx.Err(); err != nil {
			return err
		}
		a := t.row + int64(i)
		for _, b := range near {
			if err := t.pair(ctx, a, b, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tile) pair(ctx context.Context, a, b int64, visit func(Pair) error) error {
	ra, err := t.record(a)
	if err != nil {
		return err
	}
	rb, err := t.record(b)
	if err != nil || !within(ra.distances(&rb.Summary), summaryLimits) {
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
	return visit(pairOf(a, b, ea, eb))
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

// kept is how many records and entries of a row of blocks are held in memory.
const kept = 4096

func (t *tile) record(number int64) (*record, error) {
	if r := t.read[number]; r != nil {
		return r, nil
	}
	if len(t.read) >= kept {
		clear(t.read)
	}
	err := t.x.each(number, number+1, func(_ int64, r *record, bad error) error {
		if bad != nil {
			return fmt.Errorf("%s: record %d: %w", t.x.path, number, bad)
		}
		own := *r
		t.read[number] = &own
		return nil
	})
	return t.read[number], err
}

func (t *tile) entry(ctx context.Context, number int64) (Entry, error) {
	if e, ok := t.entries[number]; ok {
		return e, nil
	}
	if len(t.entries) >= kept/16 {
		clear(t.entries)
	}
	e, err := t.x.At(ctx, number)
	if err == nil {
		t.entries[number] = e
	}
	return e, err
}
