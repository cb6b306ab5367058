package tokenfree

import (
	"context"

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

// ThroughOne pairs the layers of two stacks as Counterparts does, by the rotation that is
// fitted to one layer of each: the two whose units come to agree most, and clearly more
// than those of most do. At most Pairs fits are made. Once ctx has ended the pairs mean
// nothing.
func ThroughOne(ctx context.Context, a, b []mlp.Block, o *Options) (pairs [][2]int) {
	opt := o.within(ctx)
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	free := turned(a, b)
	la, lb := layers{a, free}, layers{b, free}
	f, from := opt.mostAtRest(la, lb)
	if f == nil {
		return nil
	}
	scores := make([]float64, len(a)*len(b))
	for j := range b {
		for i := range a {
			if opt.ended() {
				return nil
			}
			l, _ := f.try(la.at(i), lb.at(j))
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
	most := 0.0
	for k := range min(o.Pairs, len(a.blocks)*len(b.blocks)) {
		if o.ended() {
			return nil, from
		}
		i, j := k%len(a.blocks), k/len(a.blocks)
		x, y := layers{a.blocks[i : i+1], a.free}, layers{b.blocks[j : j+1], b.free}
		f := newFit(*o, x, y)
		f.run(f.seeds())
		l, _ := f.try(x.at(0), y.at(0))
		shares = append(shares, l.share())
		if l.share() > most {
			best, from, most = f, [2]int{i, j}, l.share()
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
