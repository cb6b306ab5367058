package lineage

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// pair is what is known of two models.
type pair struct {
	verdict  verdict.Verdict
	distance float64 // between the values, 2 if unknown
	likeness float64 // of matching units, where values do not correspond
	screened bool    // known from sketches only
}

// likeness names tests whose effect says how alike two models are that do not
// correspond value by value: the first group of which any ran, taken together.
// What no relabelling or rotation alters tells near relatives from distant ones;
// units that find their partners hardly do.
var likeness = [][]string{{verdict.QKSizes, verdict.QKPhases, verdict.OVSpectra}, {verdict.Agreement}, {verdict.SketchFixedPoints}, {verdict.ProbeAgreement}}

// alike is the mean effect of the first group of tests of which any ran, 1 where
// none was needed.
func alike(evidence []report.Evidence) float64 {
	for _, group := range likeness {
		sum, n := 0.0, 0
		for _, e := range evidence {
			if e.Skipped == "" && slices.Contains(group, e.Test) && (e.Test != verdict.SketchFixedPoints || e.Axis == "sketches") {
				sum += min(1, float64(e.Effect))
				n++
			}
		}
		if n > 0 {
			return sum / float64(n)
		}
	}
	return 1
}

// know takes from a report what the graph needs.
func (p *pair) know(r *report.Report) {
	p.verdict, p.distance = r.Verdict, incomparable
	if d := r.Delta; d != nil && d.Tensors > 0 {
		p.distance = min(float64(d.Relative), 1.8)
	}
	if slices.Contains(r.Verdict.Kinds, verdict.Reparameterised) {
		p.distance = incomparable
	}
	p.likeness = alike(r.Evidence)
}

// builder holds the pairs while the graph grows.
type builder struct {
	in    []report.Input
	pairs [][]pair
	vecs  *vectors
}

func newBuilder(in []report.Input) *builder {
	b := &builder{in: in, pairs: make([][]pair, len(in))}
	for i := range b.pairs {
		b.pairs[i] = make([]pair, len(in))
	}
	return b
}

// compare fills in what is known of pairs i < j.
func (b *builder) compare(ctx context.Context, which func(i, j int) bool, one func(i, j int) (*report.Report, error)) error {
	type job struct{ i, j int }
	jobs := make(chan job)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for x := range jobs {
				r, err := one(x.i, x.j)
				if err != nil {
					cancel(err)
					continue
				}
				p := &b.pairs[x.i][x.j]
				p.know(r)
				p.screened = false
			}
		})
	}
	for j := range b.in {
		for i := range j {
			if ctx.Err() == nil && which(i, j) {
				jobs <- job{i, j}
			}
		}
	}
	close(jobs)
	wg.Wait()
	return context.Cause(ctx)
}

// verdict is that of the pair. Who came first in it, suggested tells.
func (b *builder) verdict(i, j int) verdict.Verdict { return b.pairs[min(i, j)][max(i, j)].verdict }

// suggested is the direction that marks in the weights suggest, seen from i.
func (b *builder) suggested(i, j int) verdict.Direction {
	v := b.verdict(i, j)
	d := v.Suggested()
	if i > j {
		return d.Turned()
	}
	return d
}

// kin tells whether two models share a trained origin, or may by their sketches.
func (b *builder) kin(i, j int) bool {
	v := b.verdict(i, j)
	switch v.Relation {
	case verdict.Identical, verdict.Reencoded, verdict.Related:
		return true
	}
	return v.Lead
}
