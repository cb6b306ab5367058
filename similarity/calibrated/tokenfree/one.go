package tokenfree

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/similarity/mlp"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Layers of a copy that was trained on for long are told by no signature any more, while
// a rotation that is fitted to one of them alone is found still: iterated from signatures
// it comes to rest where all units agree, and with any other layer where it makes as many
// agree as a rotation can of strangers. What it shows in all other layers pairs them.

// restful is the share of the units of one layer, of those that a fit to it makes agree,
// from which no better one is looked for.
const restful = 0.97

// fewRounds is how many rounds such a fit takes: more change hardly any match.
const fewRounds = 6

// ThroughOne pairs its layers and B's as Counterparts does, by the rotation that is
// fitted to one layer of each: the two whose units come to agree most, and clearly more
// than those of most do. At most so many fits are made, 64 for 0. Once ctx has ended the
// pairs mean nothing.
func (s *Stack) ThroughOne(ctx context.Context, b []*mlp.Joined, fits int) (pairs [][2]int) {
	a, opt := s.layers, s.opt
	if opt.ctx = ctx; fits > 0 {
		opt.Pairs = fits
	}
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	opt.Rounds = min(opt.Rounds, fewRounds)
	free := turned(heads(a), heads(b))
	la, lb := layers{a, free}, layers{b, free}
	f, from := opt.mostAtRest(la, lb)
	if f == nil {
		return nil
	}
	scores := make([]float64, len(a)*len(b))
	for j := range b {
		y := lb.at(j)
		for i := range a {
			if opt.ended() {
				return nil
			}
			l, _ := f.try(la.at(i), y)
			scores[j*len(a)+i] = l.share()
		}
	}
	scores[from[1]*len(a)+from[0]] = 1
	return mutualLayers(scores, len(a), len(b), func(_, _ int) float64 { return clearly })
}

// mostAtRest is the fit to one layer of each that makes most of its units agree, and the
// layers; nil where it makes hardly more agree than most fits do.
func (o *Options) mostAtRest(a, b layers) (best *fit, from [2]int) {
	var shares []float64
	xs := make([]lone, len(a.blocks))
	var y lone
	dims := min(o.Dims, a.blocks[0].Head().Hidden, b.blocks[0].Head().Hidden)
	most := 0.0
	fits := min(o.Pairs, len(a.blocks)*len(b.blocks))
	for k := range fits {
		if o.ended() {
			return nil, from
		}
		i, j := k%len(a.blocks), k/len(a.blocks)
		if i == 0 {
			y = o.lone(b.from(j), dims, true)
		}
		x := xs[i]
		if j == 0 {
			x = o.lone(a.from(i), dims, false)
		}
		if k+len(a.blocks) < fits { // it is asked for again
			xs[i] = x
		}
		f := &fit{opt: *o, dims: dims, span: x.span, a: []*directions{x.reduced}, b: []*directions{y.own}}
		f.run([][]int{o.seed(x.signature, y.signature)})
		if o.ended() {
			return nil, from
		}
		share := f.fitted(0).share()
		shares = append(shares, share)
		if share > most {
			best, from, most = f, [2]int{i, j}, share
		}
		if most >= restful {
			return best, from
		}
	}
	if usual := stats.Median(shares); most < (1+usual)/2 {
		return nil, from
	}
	return best, from
}

// lone is one layer, as a fit to it alone takes it.
type lone struct {
	span      []float32   // its leading directions
	reduced   *directions // its units in these
	own       *directions // as many of its units as take part, as they are
	signature *signature
}

func (o *Options) lone(l layers, dims int, sample bool) lone {
	d := l.at(0)
	x := lone{span: o.leading(l.each, d.dim, dims)}
	x.reduced = d.onto(x.span, dims)
	by := forms(slices.Values([]*directions{x.reduced}), 1)
	described := x.reduced
	if sample {
		x.own, described = o.sampled(d), o.sampled(described)
	}
	x.signature = signatures(described, by)
	return x
}

// from is one of the layers.
func (l layers) from(i int) layers { return layers{l.blocks[i : i+1], l.free} }

// share is the part of the units of a layer that agree.
func (l Layer) share() float64 { return float64(l.Agree) / float64(max(1, l.Tested)) }

// mutualLayers lists the layers (a, b) that score most with one another and as much as is
// asked, in order of b; scores stand [layer of B][layer of A].
func mutualLayers(scores []float64, na, nb int, least func(i, j int) float64) (pairs [][2]int) {
	for j := range nb {
		i := highest(na, func(i int) float64 { return scores[j*na+i] })
		back := highest(nb, func(j int) float64 { return scores[j*na+i] })
		if back == j && scores[j*na+i] >= least(i, j) {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}
