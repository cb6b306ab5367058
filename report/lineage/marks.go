package lineage

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
	"github.com/weightprint/weightprint/similarity/layers"
)

// marks is what a model shows of itself alone. It is taken once, so that holding any
// two models against each other by it costs next to nothing.
type marks struct {
	print *fingerprint.Fingerprint // sketches of units in their places; nil where none can be made
	heads [][]calibrated.Head      // of some layers, from the first to the last: what no change of basis alters
	depth int                      // layers in all
}

// markedLayers is how many layers show their heads.
const markedLayers = 4

// mark reads what a model shows of itself, and rows of its matrices.
func mark(ctx context.Context, in report.Input, most int, o *report.Options) (*marks, *sampled, error) {
	p := align.NewPair(in.Subject(), in.Subject(), nil, align.NoLimit)
	if _, err := layers.AlignRotary(ctx, p); err != nil {
		return nil, nil, err
	}
	values, err := sampleValues(ctx, p.B.Net, most)
	if err != nil || in.IsAdapter() {
		return &marks{}, values, err
	}
	m := &marks{}
	if t := p.B.Net.Tower("main"); t != nil {
		m.depth = len(t.Layers)
		if m.heads, err = headsOf(ctx, t); err != nil {
			return nil, nil, err
		}
	}
	m.print, err = fingerprint.Compute(ctx, in.Model, &fingerprint.Options{SketchOnly: beyond(in, o)})
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		m.print = nil // a model that cannot be sketched is compared with all
	}
	return m, values, nil
}

// beyond tells whether a model is too large to be read whole.
func beyond(in report.Input, o *report.Options) bool {
	budget := o.WithDefaults().Budget
	return budget != report.Full && in.BytesTotal() > int64(budget)
}

// headsOf are the heads of a few layers, evenly spread; none where the tower has no
// rotary heads whose planes are known.
func headsOf(ctx context.Context, t *roles.Tower) ([][]calibrated.Head, error) {
	if len(t.Layers) == 0 || t.HeadDim == 0 || t.RotaryDim < 2 || t.RotaryDim > t.HeadDim || t.Rotary == roles.NoRotary {
		return nil, nil
	}
	planes := make([]int, t.RotaryDim/2)
	for i := range planes {
		planes[i] = i
	}
	var out [][]calibrated.Head
	for _, i := range align.Spread(len(t.Layers), markedLayers) {
		l := t.Layers[i]
		if l.Q == nil || l.K == nil || l.Q.Rows%t.HeadDim != 0 || l.K.Rows%t.HeadDim != 0 {
			return nil, nil
		}
		h, err := calibrated.Planes(ctx, t, l, planes)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// nearness is what the marks of two models say.
type nearness struct {
	lead  bool    // the places of units or the signs of tokens correspond, which strangers' do not
	alike float64 // 1 where nothing differs that no basis alters, about 0 for strangers
	known bool    // alike could be told
}

// held holds the marks of two models against each other.
func held(a, b *marks, o *report.Options) (n nearness) {
	var probes, units float64
	var probed, sketched bool
	if a.print != nil && b.print != nil {
		r := report.Screen(report.Sketched{Fingerprint: a.print}, report.Sketched{Fingerprint: b.print}, o)
		n.lead = r.Verdict.Lead || r.Verdict.Relation == verdict.Identical
		probes, probed = effect(r.Evidence, verdict.ProbeAgreement)
		units, sketched = effect(r.Evidence, verdict.SketchFixedPoints)
	}
	switch heads, ok := resemble(a, b); {
	case ok:
		n.alike, n.known = heads, true
	case probed:
		n.alike, n.known = probes, true
	case sketched:
		n.alike, n.known = units, n.lead
	}
	return n
}

// effect is that of a test over all axes, and whether it ran.
func effect(all []report.Evidence, test string) (float64, bool) {
	for _, e := range all {
		if e.Test == test && e.Skipped == "" {
			return float64(e.Effect), true // the result over all axes comes first
		}
	}
	return 0, false
}

// resemble is how alike the heads of two models are, layer by layer; where one has more
// layers than the other, each is held against those most like it.
func resemble(a, b *marks) (float64, bool) {
	if len(a.heads) > len(b.heads) {
		a, b = b, a
	}
	sum := 0.0
	for l, x := range a.heads {
		against := b.heads
		if a.depth == b.depth {
			against = b.heads[l : l+1]
		}
		best := math.Inf(-1)
		for _, y := range against {
			if size, phase, k := calibrated.Resemblance(x, y); k > 0 {
				best = max(best, (size+phase)/2)
			}
		}
		if math.IsInf(best, -1) {
			return 0, false
		}
		sum += best
	}
	return sum / float64(max(1, len(a.heads))), len(a.heads) > 0
}
