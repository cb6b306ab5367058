package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/weightprint/weightprint/internal/dense"
)

// request asks how far entries are from a summary by one kind of bits.
type request struct {
	summary *Summary
	channel int
	of      []candidate // in the order of their numbers
	far     []int       // of each; unread where its record cannot be read
}

// unread is no distance.
const unread = math.MinInt

// nearest lists the entries that are nearest, so many as keep says, and those that
// cannot be read: the test says so.
func (r *request) nearest(keep int) (out []int64) {
	l := newList(keep)
	for i, c := range r.of {
		if r.far[i] == unread {
			out = append(out, c.entry)
		} else {
			l.offer(candidate{r.far[i], c.entry})
		}
	}
	l.cut()
	for _, c := range l.best {
		out = append(out, c.entry)
	}
	return out
}

// measure answers requests, on all processors, and reads each record once, or a few
// times where few of its block are asked for.
func (x *Index) measure(ctx context.Context, all []*request) error {
	for _, r := range all {
		r.far = make([]int, len(r.of))
	}
	blocks := (x.count + blockSize - 1) / blockSize
	workers := max(1, min(int64(runtime.GOMAXPROCS(0)), blocks))
	errs := make([]error, workers)
	dense.Parallel(int(workers), func(w int) {
		errs[w] = x.measureBlocks(ctx, all, blocks*int64(w)/workers, blocks*int64(w+1)/workers)
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// measureBlocks does so for the records of blocks [first, last).
func (x *Index) measureBlocks(ctx context.Context, all []*request, first, last int64) (err error) {
	at, ends := make([]int, len(all)), make([]int, len(all))
	for i, r := range all {
		at[i] = before(r.of, first*blockSize)
		ends[i] = at[i]
	}
	read := newRecords(x)
	n := x.approach(all, ends, first)
	for k := first; k < last; k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n > 0 {
			if err := read.begin(k, n); err != nil {
				return err
			}
		}
		upTo := append(read.ends[:0], ends...)
		if read.ends = upTo; k+1 < last {
			n = x.approach(all, ends, k+1)
		}
		for i, r := range all {
			for ; at[i] < upTo[i]; at[i]++ {
				if r.far[at[i]], err = read.apart(r, r.of[at[i]].entry); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// approach moves ends behind what is asked of a block, counts it, and has it fetched
// where it is in memory. Records that are near something lie scattered; to wait for one
// after the other takes longer than to compare them, so it is done one block ahead.
func (x *Index) approach(all []*request, ends []int, k int64) (n int) {
	kept := x.kept.records(k)
	for i, r := range all {
		for ; ends[i] < len(r.of) && r.of[ends[i]].entry < (k+1)*blockSize; ends[i]++ {
			n++
			if kept != nil {
				ahead(kept[r.of[ends[i]].entry%blockSize*recordBytes:][:recordBytes], r.channel)
			}
		}
	}
	return n
}

// before counts the candidates before a number.
func before(of []candidate, number int64) int {
	n := 0
	for n < len(of) && of[n].entry < number {
		n++
	}
	return n
}

// records reads the summaries of one block after the other.
type records struct {
	x     *Index
	block int64
	bytes []byte // of the whole block, if it was read
	room  []byte // for these
	one   []byte
	state [blockSize]uint8
	of    [blockSize]record
	ends  []int // room of measureBlocks
}

// States of a record of the block at hand.
const (
	unseen = iota
	whole
	broken
)

// wholeFrom is how many records of a block are read one by one at most: a call costs as
// much as copying some ten more.
const wholeFrom = 24

func newRecords(x *Index) *records {
	return &records{x: x, one: make([]byte, recordBytes), room: make([]byte, blockSize*recordBytes)}
}

// begin turns to a block of which so many records will be asked for.
func (s *records) begin(k int64, asked int) error {
	s.block, s.bytes = k, s.x.kept.records(k)
	clear(s.state[:])
	if s.bytes != nil {
		return nil
	}
	into := s.x.kept.roomForRecords(k)
	if into == nil && asked < wholeFrom {
		return nil
	}
	b := s.room[:min(blockSize, s.x.count-k*blockSize)*recordBytes]
	if into != nil {
		b = into
	}
	if _, err := s.x.f.ReadAt(b, headerBytes+k*blockSize*recordBytes); err != nil {
		return fmt.Errorf("%s: records from %d: %w", s.x.path, k*blockSize, err)
	}
	if s.bytes = b; into != nil {
		s.x.kept.putRecords(k, into)
	}
	return nil
}

// apart is how far a record of the block is from what is asked, unread where it cannot
// be read. Of one that is in memory and was seen whole it reads no more than it needs.
func (s *records) apart(r *request, number int64) (int, error) {
	if b := s.x.wholeRecord(number, s.bytes); b != nil {
		return r.summary.apartStored(r.channel, (*[recordBytes]byte)(b)), nil
	}
	o, err := s.summary(number)
	if err != nil || o == nil {
		return unread, err
	}
	return r.summary.apart(r.channel, o), nil
}

// wholeRecord is a record among those of its block, nil where these are not at hand or
// the record was not seen to be whole.
func (x *Index) wholeRecord(number int64, block []byte) []byte {
	i := number % blockSize
	if x.seen == nil || len(block) == 0 || x.seen[number].Load() != sound {
		return nil
	}
	return block[i*recordBytes : (i+1)*recordBytes]
}

// summary is that of a record of the block, nil if it cannot be read. It is valid until
// the next block.
func (s *records) summary(number int64) (*Summary, error) {
	i := number - s.block*blockSize
	if s.state[i] == unseen {
		b := s.one
		if len(s.bytes) > 0 {
			b = s.bytes[i*recordBytes : (i+1)*recordBytes]
		} else if _, err := s.x.f.ReadAt(b, headerBytes+number*recordBytes); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", s.x.path, number, err)
		}
		s.state[i] = broken
		if s.x.decode(number, b, &s.of[i]) {
			s.state[i] = whole
		}
	}
	if s.state[i] == broken {
		return nil, nil
	}
	return &s.of[i].Summary, nil
}

// need is summary for a record that must be readable.
func (s *records) need(number int64) (*Summary, error) {
	o, err := s.summary(number)
	if err == nil && o == nil {
		err = s.x.each(number, number+1, func(_ int64, _ *record, bad error) error {
			return fmt.Errorf("%s: record %d: %w", s.x.path, number, cmp.Or(bad, ErrCorrupt))
		})
	}
	return o, err
}

// decode reads the numbers of a record, all but its name, and tells whether it holds. Its
// digest is looked at the first time.
func (x *Index) decode(number int64, b []byte, r *record) bool {
	if seen := x.seen; seen != nil && seen[number].Load() == sound {
		r.numbers(b)
		return true
	}
	ok := false
	_ = visitRecord(number, b, x.header.details, func(_ int64, o *record, bad error) error {
		if ok = bad == nil; ok {
			*r = *o
		}
		return nil
	})
	if ok && x.seen != nil {
		x.seen[number].Store(sound)
	}
	return ok
}
