package sketches

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// minProbes is the fewest tokens that must have found a unit on both sides.
const minProbes = 6

// layer is a probed layer that may be tested.
type layer struct {
	*fingerprint.Probes
	byPlace []int // tokens that find a unit, in the order of these
}

func layerOfProbes(p *fingerprint.Probes) layer {
	l := layer{p, make([]int, 0, len(p.Units))}
	for t, u := range p.Units {
		if u >= 0 {
			l.byPlace = append(l.byPlace, t)
		}
	}
	slices.SortFunc(l.byPlace, func(s, t int) int { return cmp.Or(p.Units[s]-p.Units[t], s-t) })
	return l
}

// pair is one probed layer of A held against one of B: the tokens that found
// a unit in both, in the order of those of A.
type pair struct {
	a, b   layer
	tokens []int
}

// pairOf makes a pair, whose tokens are put into room.
func pairOf(a, b layer, room []int) (pair, bool) {
	p := pair{a: a, b: b, tokens: room[:0]}
	for _, t := range a.byPlace {
		if t < len(b.Units) && b.Units[t] >= 0 {
			p.tokens = append(p.tokens, t)
		}
	}
	return p, len(p.tokens) >= minProbes
}

// order bounds the probability that the units which the tokens find stand in
// one order in A and B, or at the very same places: B's units carry labels in
// uniformly random order.
func (p *pair) order() (stat int, log stats.LogP) {
	var room [maxTokens]int
	n, same, second := len(p.tokens), 0, room[:0]
	for _, t := range p.tokens {
		second = append(second, p.b.Units[t])
		if p.a.Length == p.b.Length && p.a.Units[t] == p.b.Units[t] {
			same++
		}
	}
	k := stats.LongestIncreasing(second)
	log = min(stats.Ordered(n, k), places(n, same, p.b.Length))
	return max(k, same), stats.Bonferroni(log, 2)
}

// maxTokens is room for the tokens of a probed layer.
const maxTokens = 32

// places bounds the probability that k of n given units of m stand at given
// places: C(n,k)·(m−k)!/m!.
func places(n, k, m int) stats.LogP {
	log := 0.0
	for i := range k {
		log += math.Log(float64(n-i)) - math.Log(float64(i+1)) - math.Log(float64(m-i))
	}
	return stats.LogP(min(log, 0))
}

// signs is the probability of so many equal signs: under the null the pair of
// up row and down column of a gated unit has a random sign.
func (p *pair) signs() (agree, n int, log stats.LogP) {
	if !p.a.Gated || !p.b.Gated {
		return 0, 0, 0
	}
	for _, t := range p.tokens {
		if (p.a.Signs^p.b.Signs)>>t&1 == 0 {
			agree++
		}
	}
	return agree, len(p.tokens), stats.SignAgreements(agree, len(p.tokens))
}

// profileBits is the length of a profile.
const profileBits = 64

// NearProfile is how many bits of two profiles, or of one and the other turned
// round, may differ where two units are called alike.
const NearProfile = 12

// agreement counts the tokens whose units look alike through the up rows too.
func (p *pair) agreement() int {
	alike := 0
	for _, t := range p.tokens {
		if ProfilesAlike(p.a.Profile[t], p.b.Profile[t]) {
			alike++
		}
	}
	return alike
}

// probes holds every probed layer of B against every probed layer of A, takes
// the best by each statistic, corrected for the choice, and combines them. A
// layer of A that several layers of B take counts once, for the best of them;
// the others count as having found nothing.
func probes(a, b *Prepared) (order, signs, agreement similarity.Evidence) {
	order = evidence("probe-order", "units that tokens find", "mlp")
	signs = evidence("probe-signs", "units that tokens find", "mlp")
	agreement = evidence("probe-agreement", "units that tokens find", "mlp")
	agreement.Tier, agreement.Null = similarity.Calibrated, "none: units that the same tokens find, alike through the up rows too"
	as, bs := a.probed, b.probed
	var orders, flips, alike taken
	var room [maxTokens]int
	for _, pb := range bs {
		var o, s, g best
		for j, pa := range as {
			p, ok := pairOf(pa, pb, room[:])
			if !ok {
				continue
			}
			n := len(p.tokens)
			k, log := p.order()
			o.offer(j, k, n, log)
			if k, n, log := p.signs(); n > 0 {
				s.offer(j, k, n, log)
				g.offer(j, p.agreement(), n, -stats.LogP(p.agreement()))
			}
		}
		orders.take(o)
		flips.take(s)
		alike.take(g)
	}
	tests := max(len(as), len(bs))
	close(&order, orders.into(&order, tests))
	close(&signs, flips.into(&signs, tests))
	alike.into(&agreement, tests)
	if agreement.N > 0 {
		agreement.Effect = agreement.Statistic / float64(agreement.N)
	} else {
		agreement.Skipped = "no probed layers on both sides"
	}
	return order, signs, agreement
}

// probed lists the probed layers that may be tested, repeated ones once.
func probed(f *fingerprint.Fingerprint, g ground) []layer {
	var out []layer
	for i := range f.Probes {
		if p := &f.Probes[i]; sound(f, g, p.Axis) && !twice(f.Probes[:i], p) {
			out = append(out, layerOfProbes(p))
		}
	}
	return out
}

// best is the best of several layers of A for one of B.
type best struct {
	found          bool
	layer, stat, n int // layer is that of A
	log            stats.LogP
}

func (x *best) offer(layer, stat, n int, log stats.LogP) {
	if !x.found || log < x.log {
		*x = best{true, layer, stat, n, log}
	}
}

// taken holds the best of what layers of B found, one for each layer of A, in their order.
type taken []best

func (m *taken) take(x best) {
	if !x.found {
		return
	}
	at, again := slices.BinarySearchFunc(*m, x.layer, func(y best, layer int) int { return y.layer - layer })
	switch {
	case !again:
		*m = slices.Insert(*m, at, x)
	case x.log < (*m)[at].log:
		(*m)[at] = x
	}
}

// into adds what was found to a pooled result and returns one p-value for each
// of so many layers: seen from A or from B, each is the best of no more tests
// than that, and layers left out have found nothing.
func (m taken) into(e *similarity.Evidence, tests int) []stats.LogP {
	if len(m) == 0 {
		return nil
	}
	ps := make([]stats.LogP, tests)
	for i, x := range m {
		e.Statistic += float64(x.stat)
		e.N += x.n
		ps[i] = stats.Bonferroni(x.log, tests)
	}
	return ps
}

// close combines the layers.
func close(e *similarity.Evidence, ps []stats.LogP) {
	if len(ps) == 0 {
		e.Skipped = "no probed layers on both sides"
		return
	}
	p := stats.Fisher(ps)
	e.P, e.Effect = &p, e.Statistic/float64(max(1, e.N))
}

// twice tells whether a layer repeats one before it.
func twice(before []fingerprint.Probes, p *fingerprint.Probes) bool {
	for i := range before {
		same, n := 0, 0
		for t := range min(len(p.Units), len(before[i].Units)) {
			if p.Units[t] >= 0 {
				n++
				if p.Units[t] == before[i].Units[t] {
					same++
				}
			}
		}
		if 2*same >= n {
			return true
		}
	}
	return false
}

// sound tells whether an axis has a sketch that is ground for a test: units of
// few directions answer to tokens alike, sorted ones stand in one order, in
// networks that share nothing.
func sound(f *fingerprint.Fingerprint, g ground, axis string) bool {
	for i := range f.Sketches {
		if f.Sketches[i].Axis == axis {
			return g[i]
		}
	}
	return false
}
