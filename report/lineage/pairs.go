package lineage

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// pair is what is known of two models, the first of which has the smaller number.
type pair struct {
	relation verdict.Relation
	kinds    []verdict.Kind
	suggests verdict.Direction // what marks in the weights suggest
	log10P   *verdict.Number
	lead     bool    // of two fingerprints: sketches correspond
	compared bool    // by their weights, or by fingerprints where only these are at hand
	distance float64 // between the values; of pairs both ways round, relative to the second
	likeness float64 // of what no change of basis alters, where values do not correspond
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
	v := &r.Verdict
	p.relation, p.kinds, p.suggests, p.log10P, p.lead, p.compared = v.Relation, v.Kinds, v.Suggested(), v.Log10P, v.Lead, true
	p.distance, p.likeness = incomparable, alike(r.Evidence)
	if d := r.Delta; d != nil && d.Tensors > 0 {
		p.distance = min(float64(d.Relative), 1.8)
	}
	if slices.Contains(p.kinds, verdict.Reparameterised) {
		p.distance = incomparable
	}
}

// builder holds the pairs while the graph grows.
type builder struct {
	in    []report.Input
	pairs [][]pair
	near  [][]nearness // by marks; nil where there are none
	vecs  *vectors
	one   func(ctx context.Context, i, j int) (*report.Report, error)
	fits  fits
}

func newBuilder(in []report.Input) *builder {
	b := &builder{in: in, pairs: make([][]pair, len(in)), fits: fits{}}
	for i := range b.pairs {
		b.pairs[i] = make([]pair, len(in))
		for j := range b.pairs[i] {
			b.pairs[i][j] = pair{relation: verdict.Inconclusive, suggests: verdict.Undetermined, distance: incomparable}
		}
	}
	return b
}

// at is what is known of two models, whichever comes first. Who is the first in it,
// suggested tells.
func (b *builder) at(i, j int) *pair { return &b.pairs[min(i, j)][max(i, j)] }

// candidates are pairs i < j to compare.
type candidates map[[2]int]bool

func (c candidates) add(i, j int) { c[[2]int{min(i, j), max(i, j)}] = true }

// compare fills in what is known of pairs.
func (b *builder) compare(ctx context.Context, all candidates) error {
	jobs := make(chan [2]int)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for x := range jobs {
				r, err := b.one(ctx, x[0], x[1])
				if err != nil {
					cancel(err)
					continue
				}
				b.at(x[0], x[1]).know(r)
			}
		})
	}
	for j := range b.in {
		for i := range j {
			if ctx.Err() == nil && all[[2]int{i, j}] {
				jobs <- [2]int{i, j}
			}
		}
	}
	close(jobs)
	wg.Wait()
	return context.Cause(ctx)
}

// suggested is the direction that marks in the weights suggest, seen from i.
func (b *builder) suggested(i, j int) verdict.Direction {
	d := b.at(i, j).suggests
	if i > j {
		return d.Turned()
	}
	return d
}

// kin tells whether two models share a trained origin, or may by their sketches.
func (b *builder) kin(i, j int) bool { return b.at(i, j).kin() }

func (p *pair) kin() bool {
	switch p.relation {
	case verdict.Identical, verdict.Reencoded, verdict.Related:
		return true
	}
	return p.lead
}

// partial tells whether only a part of two models is of common origin.
func (p *pair) partial() bool { return slices.Contains(p.kinds, verdict.Partial) }

// inPart is partial of two models.
func (b *builder) inPart(i, j int) bool { return b.at(i, j).partial() }

// asked counts the pairs that were compared.
func (b *builder) asked() (n int) {
	for j := range b.in {
		for i := range j {
			if b.pairs[i][j].compared {
				n++
			}
		}
	}
	return n
}
