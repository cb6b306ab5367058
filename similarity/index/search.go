package index

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Found is the result of a search.
type Found struct {
	Searched    int     // entries; p-values are corrected for these and for those skipped
	Quarantined int     // of these, entries that hold nothing to be tested
	Hits        []Hit   // best first
	Leads       []Hit   // entries without a p-value whose units look alike to the same tokens: perhaps disguised relatives
	Skipped     []Bad   // what could not be read, and so was not or not wholly searched
	Lost        []error // signs that a commit was lost, whose entries were not searched
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
	// tested in full, or more where more are asked for; an index of no more than
	// this is tested whole.
	Reranked = 64
	// leadShare and leadUnits are the share and number of units that must
	// look alike for a lead.
	leadShare = 0.25
	leadUnits = 8
)

// Search finds the entries that share an origin with a fingerprint: at most top
// hits with a corrected p no larger than level, and at most top leads. Every
// entry's summary is looked at; nothing is approximated.
func (x *Index) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (*Found, error) {
	all, err := x.SearchAll(ctx, []*fingerprint.Fingerprint{f}, top, level)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// together is how many searches share a pass over the keys: what is nearest to each has
// to be kept.
const together = 32

// SearchAll is Search for many fingerprints, of which some share each pass over the
// entries. The results are those of single searches.
func (x *Index) SearchAll(ctx context.Context, fs []*fingerprint.Fingerprint, top int, level stats.LogP) ([]*Found, error) {
	var out []*Found
	for some := range slices.Chunk(fs, together) {
		near, err := x.nearest(ctx, some, kept(top))
		if err != nil {
			return nil, err
		}
		for i, f := range some {
			found, err := testNear(ctx, x, f, near[i], top, level)
			if err == nil {
				found.Lost, err = x.Lost()
			}
			if err != nil {
				return nil, err
			}
			out = append(out, found)
		}
	}
	return out, nil
}

// kept is how many of the nearest by each kind of summary are tested.
func kept(top int) int { return max(Reranked, min(top, Screened)) }

// Source is what a search asks of a store of entries. Package index is one; a
// database that answers the same gives the same result to the bit.
type Source interface {
	Len() int
	Quarantined() int
	Bad() []Bad
	// Nearest lists the records that are tested in full, in order, each once: at
	// most so many of the query's content as keep says, and by each kind of summary
	// so many of the nearest entries that are not quarantined, of equal ones the
	// first. Only the Screened nearest by the same kind of key are looked at.
	Nearest(ctx context.Context, f *fingerprint.Fingerprint, keep int) ([]int64, error)
	// At reads the entry that a record holds; its name also with an error about
	// its details.
	At(ctx context.Context, number int64) (Entry, error)
}

// SearchIn is Search in any source.
func SearchIn(ctx context.Context, x Source, f *fingerprint.Fingerprint, top int, level stats.LogP) (*Found, error) {
	near, err := x.Nearest(ctx, f, kept(top))
	if err != nil {
		return nil, err
	}
	return testNear(ctx, x, f, near, top, level)
}

// testNear tests the named records in full and chooses among them.
func testNear(ctx context.Context, x Source, f *fingerprint.Fingerprint, near []int64, top int, level stats.LogP) (*Found, error) {
	out := &Found{Searched: x.Len(), Quarantined: x.Quarantined(), Skipped: x.Bad()}
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
	among, query := x.Len(), sketches.Prepare(f)
	dense.Parallel(len(near), func(k int) {
		if ctx.Err() != nil {
			return
		}
		var e Entry
		if e, errs[k] = x.At(ctx, near[k]); errs[k] == nil {
			hits[k] = test(e, f, query, among)
		}
		hits[k].Name = e.Name
	})
	return hits, errs
}

// test holds one entry of many against the query.
func test(e Entry, f *fingerprint.Fingerprint, query *sketches.Prepared, among int) Hit {
	all := query.Run(e.Fingerprint)
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
