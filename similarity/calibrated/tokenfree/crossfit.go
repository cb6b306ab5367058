package tokenfree

import (
	"math"

	"github.com/weightprint/weightprint/similarity/mlp"
)

// Options bound the work. The zero value takes the defaults.
type Options struct {
	Seed   []byte // fixes the sampled units and the start of the iteration
	Units  int    // units of B that take part in a layer, 512 when 0; all of A do
	Dims   int    // leading directions of the residual stream that are looked at, 192 when 0
	Rounds int    // of fitting, 12 when 0
	Whole  bool   // held-out layers are compared whole: all units of B take part there
}

func (o *Options) orDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	for _, x := range []struct {
		at    *int
		value int
	}{{&d.Units, 512}, {&d.Dims, 192}, {&d.Rounds, 12}} {
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

// CrossFit holds block i of A against block i of B, for all i: the rotation
// between the residual streams is fitted on the even blocks and tried on the
// odd ones, and the reverse. It returns nil where there are fewer than two
// blocks.
func CrossFit(a, b []mlp.Block, o *Options) *Result {
	if len(a) < 2 || len(a) != len(b) {
		return nil
	}
	opt := o.orDefaults()
	sa, sb := directionsAll(a), directionsAll(b)
	r := &Result{Layers: make([]Layer, len(a))}
	var cosine, residual sum
	for fold := range 2 {
		f := newFit(opt, pick(sa, fold), pick(sb, fold))
		r.Dims = f.dims
		residual.merge(f.run(f.seeds()))
		for i := range a {
			if i%2 != fold {
				layer, c := f.try(sa[i], sb[i])
				r.Layers[i] = layer
				r.Agree += layer.Agree
				r.Tested += layer.Tested
				cosine.merge(c)
			}
		}
	}
	r.Cosine, r.Residual = cosine.mean(), 1-residual.mean()
	return r
}

// CrossScores counts the agreeing units of every layer of B against every layer of A,
// [layer of B][layer of A], under the basis that CrossFit finds without that layer of B.
// units is how many could agree. It is for looking at: the diagonal is what CrossFit
// counts.
func CrossScores(a, b []mlp.Block, o *Options) (counts [][]int, units int) {
	if len(a) < 2 || len(a) != len(b) {
		return nil, 0
	}
	opt := o.orDefaults()
	sa, sb := directionsAll(a), directionsAll(b)
	counts = make([][]int, len(b))
	for fold := range 2 {
		f := newFit(opt, pick(sa, fold), pick(sb, fold))
		f.run(f.seeds())
		for j := range b {
			if j%2 == fold {
				continue
			}
			for i := range a {
				layer, _ := f.try(sa[i], sb[j])
				counts[j], units = append(counts[j], layer.Agree), max(units, layer.Tested)
			}
		}
	}
	return counts, units
}

func directionsAll(bs []mlp.Block) []*directions {
	out := make([]*directions, len(bs))
	for i := range bs {
		out[i] = directionsOf(&bs[i])
	}
	return out
}

// pick returns every second layer.
func pick(all []*directions, first int) (out []*directions) {
	for i := first; i < len(all); i += 2 {
		out = append(out, all[i])
	}
	return out
}

// sum adds up values for their mean.
type sum struct {
	total float64
	n     int
}

func (s *sum) add(x float64) { s.total, s.n = s.total+x, s.n+1 }
func (s *sum) merge(o sum)   { s.total, s.n = s.total+o.total, s.n+o.n }
func (s sum) mean() float64  { return s.total / math.Max(1, float64(s.n)) }
