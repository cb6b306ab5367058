package index

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
)

// candidate is an entry and how near it is.
type candidate struct {
	distance int
	entry    int64
}

func (c candidate) compare(o candidate) int {
	return cmp.Or(cmp.Compare(c.distance, o.distance), cmp.Compare(c.entry, o.entry))
}

// list keeps the nearest candidates, so many as keep says.
type list struct {
	keep  int
	best  []candidate
	worst int // no candidate beyond this distance gets in, once there are so many
}

func newList(keep int) list { return list{keep: keep, worst: math.MaxInt} }

// offer takes a candidate. The list is cut back when it has twice its size,
// which costs a sort for as many candidates.
func (l *list) offer(c candidate) {
	if len(l.best) >= l.keep && c.distance > l.worst {
		return
	}
	if l.best = append(l.best, c); len(l.best) >= 2*l.keep {
		l.cut()
	}
}

func (l *list) cut() {
	slices.SortFunc(l.best, candidate.compare)
	l.best = l.best[:min(len(l.best), l.keep)]
	if len(l.best) == l.keep {
		l.worst = l.best[l.keep-1].distance
	}
}

// scan is the part of a search that one worker has.
type scan struct {
	near [channels]list
	same []int64 // entries that may have the query's content
	err  error
}

func newScan(keep int) *scan {
	var s scan
	for k := range s.near {
		s.near[k] = newList(keep)
	}
	return &s
}

// add takes over what another scan found.
func (s *scan) add(o *scan) {
	s.same = append(s.same, o.same...)
	for k := range s.near {
		s.near[k].best = append(s.near[k].best, o.near[k].best...)
	}
}

// Nearest lists the entries that are tested in full; see Source. The keys choose
// whose summaries are read. The order of workers changes nothing, as ties go by number.
func (x *Index) Nearest(ctx context.Context, f *fingerprint.Fingerprint, keep int) ([]int64, error) {
	near, err := x.screen(ctx, ask(f))
	if err != nil {
		return nil, err
	}
	query, root := SummaryOf(f), ContentOf(f)
	total := newScan(keep)
	records, err := x.summaries(near.all)
	if err != nil {
		return nil, err
	}
	at := map[int64]*record{}
	for i := range records {
		at[near.all[i]] = &records[i]
	}
	var out []int64
	for _, i := range near.same {
		if r := at[i]; r.root == root && r.name != "" && len(out) < keep {
			out = append(out, i)
		}
	}
	for k := range near.near {
		for _, c := range near.near[k].best {
			if r := at[c.entry]; r.name == "" { // it cannot be read: the test says so
				out = append(out, c.entry)
			} else {
				total.near[k].offer(candidate{query.distances(&r.Summary)[k], c.entry})
			}
		}
		total.near[k].cut()
		for _, c := range total.near[k].best {
			out = append(out, c.entry)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// screened is what keys found.
type screened struct {
	scan
	all []int64 // in order, each once
}

// screen looks at the keys of all entries.
func (x *Index) screen(ctx context.Context, query *asked) (*screened, error) {
	blocks := (x.count + blockSize - 1) / blockSize
	workers := max(1, min(int64(runtime.GOMAXPROCS(0)), blocks))
	parts := make([]*scan, workers)
	var wg sync.WaitGroup
	for w := range workers {
		parts[w] = newScan(Screened)
		wg.Go(func() { parts[w].err = x.scan(ctx, parts[w], query, blocks*w/workers, blocks*(w+1)/workers) })
	}
	wg.Wait()
	total := &screened{scan: *newScan(Screened)}
	for _, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		total.add(p)
	}
	total.all = slices.Clone(total.same)
	for k := range total.near {
		total.near[k].cut()
		for _, c := range total.near[k].best {
			total.all = append(total.all, c.entry)
		}
	}
	slices.Sort(total.all)
	total.all = slices.Compact(total.all)
	return total, nil
}

// scan looks at the keys of blocks [first, last).
func (x *Index) scan(ctx context.Context, s *scan, query *asked, first, last int64) error {
	buf := make([]byte, blockSize*keyBytes)
	for k := first; k < last; k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, err := x.keysOf(k, buf)
		if err != nil {
			return err
		}
		s.look(query, keys, k*blockSize, x.contents.Load().dead)
	}
	return nil
}

// look holds keys against the query; the first is of the record of a number.
func (s *scan) look(query *asked, keys []byte, number int64, dead map[int64]struct{}) {
	for ; len(keys) > 0; keys, number = keys[keyBytes:], number+1 {
		b := (*[keyBytes]byte)(keys)
		flags := le.Uint16(b[atFlags:])
		if flags&(keyRemoval|keyBad) != 0 {
			continue
		}
		if len(dead) > 0 {
			if _, gone := dead[number]; gone {
				continue
			}
		}
		if bytes.Equal(b[:4], query.root[:4]) {
			s.same = append(s.same, number)
		}
		if flags&flagQuarantined != 0 {
			continue
		}
		for c, d := range query.distances(b) {
			s.near[c].offer(candidate{d, number})
		}
	}
}

// summaries reads the records of the given numbers, on all processors. One that
// cannot be read is left without a name.
func (x *Index) summaries(numbers []int64) ([]record, error) {
	out, errs := make([]record, len(numbers)), make([]error, len(numbers))
	const each = 64
	dense.Parallel((len(numbers)+each-1)/each, func(part int) {
		for i := part * each; i < min(len(numbers), (part+1)*each); i++ {
			errs[i] = x.each(numbers[i], numbers[i]+1, func(_ int64, r *record, bad error) error {
				if bad == nil {
					out[i] = *r
				}
				return nil
			})
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
