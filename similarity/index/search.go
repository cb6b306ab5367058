package index

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Found is the result of a search.
type Found struct {
	Searched    int   // entries; p-values are corrected for these and for those skipped
	Quarantined int   // of these, entries that hold nothing to be tested
	Hits        []Hit // best first
	Leads       []Hit // entries without a p-value whose units look alike to the same tokens: perhaps disguised relatives
	Skipped     []Bad // what could not be read, and so was not or not wholly searched
}

// Hit is an entry that a search found.
type Hit struct {
	Name      string
	Same      bool                // the values are the same
	P         stats.LogP          // corrected for the number of entries searched
	Evidence  similarity.Evidence // the test that gave P
	Agreement similarity.Evidence // units that the same tokens find; calibrated
}

const (
	// Reranked is how many of the nearest entries by each kind of summary are
	// tested in full; an index of no more than this is tested whole.
	Reranked = 256
	// leadShare and leadUnits are the share and number of units that must
	// look alike for a lead.
	leadShare = 0.25
	leadUnits = 8
)

// Search finds the entries that share an origin with a fingerprint: at most top
// hits with a corrected p no larger than level, and at most top leads. Every
// entry's summary is looked at; nothing is approximated.
func (x *Index) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (*Found, error) {
	return SearchIn(ctx, x, f, top, level)
}

// Source is what a search asks of a store of entries. Package index is one; a
// database that answers the same gives the same result to the bit.
type Source interface {
	Len() int
	Quarantined() int
	Bad() []Bad
	// Nearest lists the records that are tested in full, in order, each once: at
	// most Reranked of the query's content, and by each kind of summary the
	// Reranked nearest entries that are not quarantined, of equal ones the first.
	Nearest(ctx context.Context, f *fingerprint.Fingerprint) ([]int64, error)
	// At reads the entry that a record holds; its name also with an error about
	// its details.
	At(ctx context.Context, number int64) (Entry, error)
}

// SearchIn is Search in any source.
func SearchIn(ctx context.Context, x Source, f *fingerprint.Fingerprint, top int, level stats.LogP) (*Found, error) {
	out := &Found{Searched: x.Len(), Quarantined: x.Quarantined(), Skipped: x.Bad()}
	near, err := x.Nearest(ctx, f)
	if err != nil {
		return nil, err
	}
	hits, errs := testAll(ctx, x, f, near)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for k, h := range hits {
		switch {
		case errs[k] != nil:
			out.Skipped = append(out.Skipped, Bad{near[k], h.Name, errs[k]})
			out.Searched--
		case h.Same || h.Evidence.P != nil && h.P <= level:
			out.Hits = append(out.Hits, h)
		case h.Agreement.Statistic >= leadUnits && h.Agreement.Effect >= leadShare:
			out.Leads = append(out.Leads, h)
		}
	}
	byNumber(out.Skipped)
	for _, hits := range []*[]Hit{&out.Hits, &out.Leads} {
		slices.SortStableFunc(*hits, better)
		*hits = (*hits)[:min(len(*hits), top)]
	}
	return out, nil
}

// testAll holds the named records against the query, on all processors.
func testAll(ctx context.Context, x Source, f *fingerprint.Fingerprint, near []int64) ([]Hit, []error) {
	hits, errs := make([]Hit, len(near)), make([]error, len(near))
	among := x.Len()
	dense.Parallel(len(near), func(k int) {
		if ctx.Err() != nil {
			return
		}
		var e Entry
		if e, errs[k] = x.At(ctx, near[k]); errs[k] == nil {
			hits[k] = test(e, f, among)
		}
		hits[k].Name = e.Name
	})
	return hits, errs
}

// test holds one entry of many against the query.
func test(e Entry, f *fingerprint.Fingerprint, among int) Hit {
	all := sketches.Run(e.Fingerprint, f)
	h := Hit{Name: e.Name, Same: f.Complete && e.Fingerprint.Complete && f.Root == e.Fingerprint.Root}
	if best, p := sketches.Best(all); best != nil {
		h.Evidence, h.P = *best, stats.Bonferroni(p, among)
	}
	for _, a := range all {
		if a.Tier == similarity.Calibrated {
			h.Agreement = a
		}
	}
	return h
}

// nearness is p, by which hits are ordered. Networks of one initialisation all
// have its untouched tokens; which tokens training left so tells the nearer ones,
// so their number counts and not how often chance turned a sign.
func (h *Hit) nearness() stats.LogP {
	if h.Evidence.P == nil || h.Evidence.Test != sketches.TokenSigns {
		return h.P
	}
	return stats.LogP(-math.Ln2 * h.Evidence.Statistic)
}

// better orders hits: equal values, then nearness, then agreement, then name.
func better(a, b Hit) int {
	same := func(h Hit) int {
		if h.Same {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(same(a), same(b)), cmp.Compare(a.nearness(), b.nearness()), cmp.Compare(b.Agreement.Effect, a.Agreement.Effect), cmp.Compare(a.Name, b.Name))
}

// candidate is an entry and how near its summary is.
type candidate struct {
	distance int
	entry    int64
}

func (c candidate) compare(o candidate) int {
	return cmp.Or(cmp.Compare(c.distance, o.distance), cmp.Compare(c.entry, o.entry))
}

// list keeps the nearest candidates of a scan.
type list struct {
	best  []candidate
	worst int // no candidate beyond this distance gets in
}

// offer takes a candidate. The list is cut back when it has twice its size,
// which costs a sort for as many candidates.
func (l *list) offer(c candidate) {
	if len(l.best) >= Reranked && c.distance > l.worst {
		return
	}
	if l.best = append(l.best, c); len(l.best) >= 2*Reranked {
		l.cut()
	}
}

func (l *list) cut() {
	slices.SortFunc(l.best, candidate.compare)
	l.best = l.best[:min(len(l.best), Reranked)]
	if len(l.best) == Reranked {
		l.worst = l.best[Reranked-1].distance
	}
}

// scan is the part of a search that one worker has.
type scan struct {
	near [channels]list
	same []int64 // entries with the query's content
	err  error
}

// Nearest lists the entries that are tested in full, in order: those of equal
// content, and by each kind of summary the nearest. The order of workers
// changes nothing, as ties go by number.
func (x *Index) Nearest(ctx context.Context, f *fingerprint.Fingerprint) ([]int64, error) {
	query, root := SummaryOf(f), ContentOf(f)
	workers := int64(max(1, min(runtime.GOMAXPROCS(0), x.Len()/readRecords)))
	parts := make([]scan, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { parts[w].err = x.scan(ctx, &parts[w], &query, root, x.count*w/workers, x.count*(w+1)/workers) })
	}
	wg.Wait()
	total := scan{}
	for i := range parts {
		if parts[i].err != nil {
			return nil, parts[i].err
		}
		total.same = append(total.same, parts[i].same...)
		for k := range total.near {
			total.near[k].best = append(total.near[k].best, parts[i].near[k].best...)
		}
	}
	out := total.same[:min(len(total.same), Reranked)]
	for k := range total.near {
		total.near[k].cut()
		for _, c := range total.near[k].best {
			out = append(out, c.entry)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// scan looks at the summaries of entries [first, last). Records were checked
// when the index was opened; only the fixed fields are read again.
func (x *Index) scan(ctx context.Context, s *scan, query *Summary, root fingerprint.Digest, first, last int64) error {
	buf := make([]byte, readRecords*recordBytes)
	var r record
	for first < last {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(readRecords, last-first)
		if _, err := x.f.ReadAt(buf[:n*recordBytes], headerBytes+first*recordBytes); err != nil {
			return err
		}
		for k := range n {
			if _, gone := x.dead[first+k]; gone {
				continue
			}
			r.numbers(buf[k*recordBytes:])
			if r.root == root {
				s.same = append(s.same, first+k)
			}
			if r.flags&flagQuarantined != 0 {
				continue
			}
			for c, d := range query.distances(&r.Summary) {
				s.near[c].offer(candidate{d, first + k})
			}
		}
		first += n
	}
	return nil
}
