package tokenfree

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity/mlp"
)

// Options bound the work. The zero value takes the defaults.
type Options struct {
	Seed   []byte // fixes the sampled units and the start of the iteration
	Units  int    // units of B that take part in a layer, 512 when 0; all of A do
	Dims   int    // leading directions of the residual stream that are looked at, 192 when 0
	Rounds int    // of fitting, 12 when 0
	Pairs  int    // of layers whose roles are asked, 64 when 0; those at one place always are
	Whole  bool   // held-out layers are compared whole: all units of B take part there

	ctx context.Context // of the call
}

// within is the options of one call: its work is cut short when ctx ends.
func (o *Options) within(ctx context.Context) Options {
	d := o.orDefaults()
	d.ctx = ctx
	return d
}

// ended tells that nobody waits for the result.
func (o *Options) ended() bool { return o.ctx != nil && o.ctx.Err() != nil }

func (o *Options) orDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	for _, x := range []struct {
		at    *int
		value int
	}{{&d.Units, 512}, {&d.Dims, 192}, {&d.Rounds, 12}, {&d.Pairs, 64}} {
		if *x.at == 0 {
			*x.at = x.value
		}
	}
	return d
}

// Layer is what was seen in one layer, under a basis that was fitted without it.
type Layer struct {
	Agree  int      // units of B whose best partner in A is the same in both groups of views, mutually
	Tested int      // units that could have agreed
	Cosine float64  // mean cosine in the first group of views of the units matched by all views together
	Pairs  [][2]int // units of A and B that agree, where all units take part
}

// Result is the agreement of two stacks of blocks.
type Result struct {
	Layers   []Layer // by position in the input
	Agree    int
	Tested   int
	Cosine   float64 // mean over all matched units of held-out layers
	Residual float64 // 1 − mean cosine of the pairs that the bases were fitted to
	Dims     int     // directions that were looked at
}

// Share is the part of the tested units that agree.
func (r *Result) Share() float64 { return float64(r.Agree) / math.Max(1, float64(r.Tested)) }

// More tells whether more units agree than in another result or, of as many, their
// pairs are more alike.
func (r *Result) More(o *Result) bool {
	return cmp.Or(cmp.Compare(r.Share(), o.Share()), cmp.Compare(r.Cosine, o.Cosine)) > 0
}

// CrossFit holds block i of A against block i of B, for all i: the rotation
// between the residual streams is fitted on the even blocks and tried on the
// odd ones, and the reverse. It returns nil where there are fewer than two
// blocks. Once ctx has ended the result means nothing.
func CrossFit(ctx context.Context, a, b []mlp.Block, o *Options) *Result {
	if len(a) < 2 || len(a) != len(b) {
		return nil
	}
	if units(b) > units(a) { // all of the larger side is searched
		return crossFit(b, a, o.within(ctx)).exchanged()
	}
	return crossFit(a, b, o.within(ctx))
}

func crossFit(a, b []mlp.Block, opt Options) *Result {
	free := turned(a, b)
	halves := halvesOf(layersOf(a, free), layersOf(b, free), opt)
	r := &Result{Layers: make([]Layer, len(a)), Dims: halves[0].fit.dims}
	var cosine, fitted sum
	for fold, h := range halves {
		for k, l := range h.layers {
			r.Layers[1-fold+2*k] = l
			r.Agree, r.Tested = r.Agree+l.Agree, r.Tested+l.Tested
		}
		cosine.merge(h.cosine)
		fitted.merge(h.fitted)
	}
	r.Cosine, r.Residual = cosine.mean(), 1-fitted.mean()
	return r
}

// halvesOf fits to the even and to the odd layers.
func halvesOf(a, b layers, opt Options) (halves [2]*half) {
	for fold := range halves {
		h := &half{fit: newFit(opt, a.pick(fold), b.pick(fold))}
		h.fitted = h.fit.run(h.fit.seeds())
		h.try(a, b, 1-fold)
		halves[fold] = h
	}
	for fold, h := range halves {
		if other := halves[1-fold]; other.clear() && !h.clear() {
			h.fitted = h.fit.run(other.fit.guess(a.pick(fold), b.pick(fold)))
			h.try(a, b, 1-fold)
		}
	}
	return halves
}

// half is a fit to every second layer, and what it shows in the others. Where it shows
// nothing while the other half's fit clearly holds in layers that it has not seen, it is
// started anew from the pairs that the other one found: the finding is that of the other
// half, and how far it goes is what is left to measure.
type half struct {
	fit    *fit
	fitted sum // cosines of the pairs that the basis was fitted to
	layers []Layer
	cosine sum
}

// try counts in the layers from first on, every second one.
func (h *half) try(a, b layers, first int) {
	h.layers, h.cosine = nil, sum{}
	for i := first; i < len(a.blocks); i += 2 {
		var layer Layer
		var c sum
		if !h.fit.opt.ended() {
			layer, c = h.fit.try(a.at(i), b.at(i))
		}
		h.layers = append(h.layers, layer)
		h.cosine.merge(c)
	}
}

// clear tells whether the layers that were not fitted agree beyond doubt.
func (h *half) clear() bool {
	agree, tested := 0, 0
	for _, l := range h.layers {
		agree, tested = agree+l.Agree, tested+l.Tested
	}
	const least = 16
	return agree >= least && float64(agree) >= 2*clearly*float64(tested)
}

// units counts those of all blocks.
func units(all []mlp.Block) (n int) {
	for _, b := range all {
		n += b.Units
	}
	return n
}

// turned tells whether the signs of gates say nothing on one of the sides, and
// compasses are there instead.
func turned(a, b []mlp.Block) bool {
	all := slices.Concat(a, b)
	return slices.ContainsFunc(all, func(b mlp.Block) bool { return b.Turned }) &&
		!slices.ContainsFunc(all, func(b mlp.Block) bool { return b.Compass == nil })
}

// exchanged is the result with A and B in each other's place.
func (r *Result) exchanged() *Result {
	for _, l := range r.Layers {
		for i, p := range l.Pairs {
			l.Pairs[i] = [2]int{p[1], p[0]}
		}
	}
	return r
}

// layers are blocks whose directions are made when they are asked for: together they
// would take as much memory as the blocks.
type layers struct {
	blocks []*mlp.Joined
	free   bool // the signs of gates say nothing
}

func layersOf(blocks []mlp.Block, free bool) layers { return layers{wholes(blocks), free} }

// wholes are blocks as they are.
func wholes(blocks []mlp.Block) (out []*mlp.Joined) {
	for _, b := range blocks {
		out = append(out, mlp.Whole(b))
	}
	return out
}

func (l layers) at(i int) *directions {
	b := l.blocks[i].Block()
	return directionsOf(&b, l.free)
}

// each yields the directions of all, one after the other.
func (l layers) each(yield func(*directions) bool) {
	for i := range l.blocks {
		if !yield(l.at(i)) {
			return
		}
	}
}

// pick returns every second layer.
func (l layers) pick(first int) layers {
	var out []*mlp.Joined
	for i := first; i < len(l.blocks); i += 2 {
		out = append(out, l.blocks[i])
	}
	return layers{out, l.free}
}

// sum adds up values for their mean.
type sum struct {
	total float64
	n     int
}

func (s *sum) add(x float64) { s.total, s.n = s.total+x, s.n+1 }
func (s *sum) merge(o sum)   { s.total, s.n = s.total+o.total, s.n+o.n }
func (s sum) mean() float64  { return s.total / math.Max(1, float64(s.n)) }
