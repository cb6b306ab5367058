package index

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
)

// scan is the part of a search that one worker has.
type scan struct {
	near [channels]list
	same []int64 // entries that may have the query's content
}

// scans are kept, as filling their lists costs less than growing them.
var scans = sync.Pool{New: func() any { return new(scan) }}

func newScan() *scan {
	s := scans.Get().(*scan)
	s.same = s.same[:0]
	for k := range s.near {
		best := s.near[k].best[:0]
		s.near[k] = newList(Screened)
		s.near[k].best = best
	}
	return s
}

// short tells whether a limit left a list with fewer than it keeps.
func (s *scan) short() bool {
	for c := range s.near {
		if l := &s.near[c]; l.most < math.MaxInt && l.n < l.keep {
			return true
		}
	}
	return false
}

// add takes over what a scan of later entries found.
func (s *scan) add(o *scan) {
	s.same = append(s.same, o.same...)
	for k := range s.near {
		o.near[k].cut()
		for _, c := range o.near[k].best {
			s.near[k].offer(c)
		}
	}
}

// limits are the distances that get in.
func (s *scan) limits() (l [channels]int) {
	for c := range l {
		l[c] = s.near[c].limit()
	}
	return l
}

// Nearest lists the entries that are tested in full; see Source. The keys choose
// whose summaries are read. The order of workers changes nothing, as ties go by number.
func (x *Index) Nearest(ctx context.Context, f *fingerprint.Fingerprint, keep int) ([]int64, error) {
	near, err := x.nearest(ctx, []*fingerprint.Fingerprint{f}, keep)
	if err != nil {
		return nil, err
	}
	return near[0], nil
}

// nearest does so for several fingerprints in one pass over the entries.
func (x *Index) nearest(ctx context.Context, fs []*fingerprint.Fingerprint, keep int) ([][]int64, error) {
	queries := make([]*asked, len(fs))
	for i, f := range fs {
		queries[i] = ask(f)
	}
	screened, err := x.screen(ctx, queries)
	if err != nil {
		return nil, err
	}
	out := make([][]int64, len(fs))
	var all []*request
	for i, f := range fs {
		if out[i], err = x.ofContent(screened[i].same, ContentOf(f), keep); err != nil {
			return nil, err
		}
		summary := SummaryOf(f)
		for c := range screened[i].near {
			all = append(all, &request{summary: &summary, channel: c, of: screened[i].near[c].best})
		}
	}
	if err := x.measure(ctx, all); err != nil {
		return nil, err
	}
	for k, r := range all {
		out[k/channels] = append(out[k/channels], r.nearest(keep)...)
	}
	for _, s := range screened {
		scans.Put(s)
	}
	for i := range out {
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	return out, nil
}

// ofContent lists the records of a content, at most so many.
func (x *Index) ofContent(numbers []int64, root fingerprint.Digest, keep int) (out []int64, err error) {
	for _, n := range numbers {
		err := x.each(n, n+1, func(_ int64, r *record, bad error) error {
			if bad == nil && r.root == root && len(out) < keep {
				out = append(out, n)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pass looks at the keys of all entries, once for all queries, and leaves out what is
// beyond their limits.
func (x *Index) pass(ctx context.Context, queries []*asked, most [][channels]int) ([]*scan, error) {
	blocks := (x.count + blockSize - 1) / blockSize
	workers := max(1, min(int64(runtime.GOMAXPROCS(0)), blocks))
	parts, errs := make([][]*scan, workers), make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		for i := range queries {
			s := newScan()
			for c := range s.near {
				s.near[c].most = most[i][c]
			}
			parts[w] = append(parts[w], s)
		}
		wg.Go(func() { errs[w] = x.scan(ctx, parts[w], queries, blocks*w/workers, blocks*(w+1)/workers) })
	}
	wg.Wait()
	for w, err := range errs {
		if err != nil {
			return nil, err
		}
		for i := range queries {
			if w == 0 {
				continue
			}
			parts[0][i].add(parts[w][i])
			scans.Put(parts[w][i])
		}
	}
	for _, s := range parts[0] {
		for c := range s.near {
			s.near[c].cut()
		}
	}
	return parts[0], nil
}

// scan looks at the keys of blocks [first, last).
func (x *Index) scan(ctx context.Context, scans []*scan, queries []*asked, first, last int64) error {
	sought := make([]*sought, len(queries))
	for i, q := range queries {
		sought[i] = seek(q)
	}
	var space keySpace
	var far apart
	for k := first; k < last; k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := x.block(k, &space)
		if err != nil {
			return err
		}
		dead := x.contents.Load().dead
		for i, s := range scans {
			sought[i].within(s.limits())
			b.compare(queries[i], sought[i], &far)
			s.look(b, &far, queries[i], k*blockSize, dead)
		}
	}
	return nil
}

// look takes the keys of a block that are near; the first is of the record of a number.
func (s *scan) look(b *block, far *apart, query *asked, number int64, dead map[int64]struct{}) {
	content := le.Uint32(query.root[:])
	for g, hits := range far.hits {
		for ; hits != 0; hits &= hits - 1 {
			i := 8*g + bits.TrailingZeros8(hits)
			if i >= b.n {
				return
			}
			flags := b.flags(i)
			if flags&(keyRemoval|keyBad) != 0 {
				continue
			}
			if len(dead) > 0 {
				if _, gone := dead[number+int64(i)]; gone {
					continue
				}
			}
			if b.content(i) == content {
				s.same = append(s.same, number+int64(i))
			}
			if flags&flagQuarantined != 0 {
				continue
			}
			for c := range s.near {
				if l, d := &s.near[c], far.distance(c, i); d <= l.limit() {
					l.take(candidate{d, number + int64(i)})
				}
			}
		}
	}
}
