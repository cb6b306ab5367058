package calibrated

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// nullLearned is the null of the tests on what training learned.
const nullLearned = "the two networks share their random initialisation and nothing that training learned"

// Learned lists the tests of a stage that tell a shared random initialisation
// from derivation. Units of two networks grown from one seed stay alike for
// ever, so every test on units finds them; what training added to them (the
// leading directions of their matrices, the weights of their norms) is each
// network's own. They are held against same-seed networks trained on different
// data, and used only where an exact test has found a relation.
func Learned(stage int) []*similarity.Test {
	return []*similarity.Test{
		{Name: "leading-directions", Doc: "share of one network's leading directions found in the other", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
			axes, err := axis.Read(ctx, p, stage)
			if err != nil {
				return nil, err
			}
			return leadingSubspaces(axes), nil
		}},
		{Name: "acting-gains", Doc: "correlation of norm gains as they act on the columns of corresponding units", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
			axes, err := axis.Read(ctx, p, stage)
			if err != nil {
				return nil, err
			}
			return actingGains(axes), nil
		}},
		{Name: "gains", Doc: "correlation of norm gains around their mean", Tier: similarity.Calibrated, Run: normWeights},
	}
}

// leadingSubspaces sums up what the axes of each component show, in each system of
// coordinates: Statistic is the median share of the leading directions, Effect
// its ratio to the share of the middle ones.
func leadingSubspaces(axes []*axis.Axis) (out []similarity.Evidence) {
	type sums struct{ top, ratio []float64 }
	by := map[string]*sums{}
	for _, x := range axes {
		name := x.Component
		if x.Coordinates != "raw" {
			name += " (" + x.Coordinates + ")"
		}
		for _, v := range x.Views {
			d := v.Leading
			if d.N == 0 || d.Middle < 0.05 {
				continue
			}
			s := by[name]
			if s == nil {
				s = &sums{}
				by[name] = s
				out = append(out, similarity.Evidence{Test: "leading-directions", Axis: name, Component: x.Component, Tower: x.Tower, LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned})
			}
			s.top, s.ratio = append(s.top, d.Top), append(s.ratio, d.Top/d.Middle)
			out[slices.IndexFunc(out, func(e similarity.Evidence) bool { return e.Axis == name })].N += d.N
		}
	}
	for i := range out {
		s := by[out[i].Axis]
		out[i].Statistic, out[i].Effect = stats.Median(s.top), stats.Median(s.ratio)
	}
	if len(out) == 0 {
		out = append(out, similarity.Evidence{Test: "leading-directions", Axis: "all", Component: "all", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned, Skipped: "too few units correspond clearly"})
	}
	return out
}

// normWeights correlates the norm weights of corresponding layers, each less its mean
// over the vector: all start at one, so only what training did is left. Where names say
// nothing of which belong together, or belie it, their values do.
// The first result is over all norms, the others are layer by layer.
func normWeights(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
	total := gainsOf("norms")
	all := &gains{}
	var layers []similarity.Evidence
	for _, t := range p.Towers {
		for _, n := range normPairs(t) {
			from := len(all.correlations)
			if err := all.read(ctx, p, n.vectors); err != nil {
				return nil, err
			}
			if here := all.correlations[from:]; len(here) > 0 && n.layerB >= 0 {
				e := gainsOf("norms of " + n.name)
				e.Tower, e.LayerA, e.LayerB, e.N = t.B.Name, n.layerA, n.layerB, values(all.a[from:])
				e.Statistic = mean(here)
				e.Effect = e.Statistic
				layers = append(layers, e)
			}
		}
	}
	if e, ok, err := strayGains(ctx, p, all); ok || err != nil {
		return []similarity.Evidence{e}, err
	}
	if len(all.correlations) == 0 {
		if len(p.A.Net.Vectors) > 0 && len(p.B.Net.Vectors) > 0 && !all.rescaled {
			e, err := unknownGains(ctx, p)
			return []similarity.Evidence{e}, err
		}
		total.Skipped = "no norm gains of one length that vary on both sides"
		if all.rescaled {
			total.Skipped = "the gains of one side vary five times as much as the other's: no training leaves that, but moving gains into matrices does"
		}
		return []similarity.Evidence{total}, nil
	}
	total.N, total.Statistic = values(all.a), mean(all.correlations)
	total.Effect = total.Statistic
	return append([]similarity.Evidence{total}, layers...), nil
}

// gainsOf is the result of some gains, before they are asked.
func gainsOf(axis string) similarity.Evidence {
	return similarity.Evidence{Test: "gains", Axis: axis, Component: "norms", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned}
}

// gains are vectors of either side that vary, and how those at one place correlate.
type gains struct {
	a, b         [][]float32
	correlations []float64
	rescaled     bool // some were left out as gains that somebody moved
}

func (g *gains) read(ctx context.Context, p *align.Pair, pairs [][2]*roles.Vector) error {
	for _, v := range pairs {
		if !p.ReserveVectors(v[0], v[1]) {
			continue
		}
		a, b, err := readBoth(ctx, v)
		if err != nil {
			return err
		}
		switch c, ok := stats.Correlation(a, b); {
		case rescaledApart(spread(a), spread(b)):
			g.rescaled = true
		case ok:
			g.a, g.b, g.correlations = append(g.a, a), append(g.b, b), append(g.correlations, c)
		}
	}
	return nil
}

func values(vectors [][]float32) (n int) {
	for _, v := range vectors {
		n += len(v)
	}
	return n
}

// mean is 0 of nothing.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// norms are the gains of one place in both towers.
type norms struct {
	name           string
	layerA, layerB int // -1 for the norm before the head
	vectors        [][2]*roles.Vector
}

// normPairs lists the gains of corresponding norms.
func normPairs(t align.TowerPair) (out []norms) {
	add := func(name string, la, lb int, pairs ...[2]*roles.Vector) {
		n := norms{name: name, layerA: la, layerB: lb}
		for _, v := range pairs {
			if v[0] != nil && v[1] != nil && v[0].Len == v[1].Len {
				n.vectors = append(n.vectors, v)
			}
		}
		out = append(out, n)
	}
	for _, l := range t.Layers {
		a, b := t.A.Layers[l.A], t.B.Layers[l.B]
		add("layer "+strconv.Itoa(b.Index), a.Index, b.Index, [2]*roles.Vector{a.AttnNorm, b.AttnNorm}, [2]*roles.Vector{a.MLPNorm, b.MLPNorm})
	}
	add("the head", -1, -1, [2]*roles.Vector{t.A.FinalNorm, t.B.FinalNorm})
	return out
}

func readBoth(ctx context.Context, v [2]*roles.Vector) (a, b []float32, err error) {
	if a, err = v[0].Read(ctx); err != nil {
		return nil, nil, err
	}
	b, err = v[1].Read(ctx)
	return a, b, err
}

// spread is the standard deviation of gains relative to their mean size.
func spread(x []float32) float64 {
	var sum, size, squares float64
	for _, v := range x {
		sum += float64(v)
		size += math.Abs(float64(v))
		squares += float64(v) * float64(v)
	}
	n := float64(len(x))
	return math.Sqrt(math.Max(0, squares/n-float64(sum/n*sum/n))) / math.Max(size/n, 1e-30)
}

// rescaledApart tells whether gains were multiplied at random on one side:
// what they have in common with the others, or not, then says nothing about
// training.
func rescaledApart(a, b float64) bool {
	const least, times = 0.25, 5
	return max(a, b) >= least && max(a, b) >= times*min(a, b)
}
