package calibrated

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Norm gains may carry one another's names: whoever writes the program that runs a network
// is free to choose. Which belongs to which then follows from their values, if anything
// does: those that were learned together have one partner each that is far more like them
// than all others.

const (
	// normsByValue is the axis of gains that were paired by their values.
	normsByValue = "norms by value"

	// fewestGains is how many must be paired, of fewer names are as good, and mostGains how
	// many are: what it takes grows with their cube.
	fewestGains, mostGains = 4, 512
	// clearlyPaired is the mean correlation from which values say which gains belong
	// together. Unrelated gains paired by value show 0.16 at most, those of one seed 0.23.
	clearlyPaired = 0.4
	// moreThanNamed is by how much it must exceed the mean of the pairs that are named.
	// Of networks of one seed it does by 0.07 at most, of strangers by 0.17.
	moreThanNamed = 0.2
)

// strayGains pairs the gains of both sides by their values, those that stand under known
// names and what looks like gains beside them. ok is false where the names are as good,
// or where somebody moved gains into matrices.
func strayGains(ctx context.Context, p *align.Pair, named *gains) (e similarity.Evidence, ok bool, err error) {
	if named.rescaled || len(named.correlations) > 0 && mean(named.correlations) >= clearlyPaired {
		return e, false, nil
	}
	a, err := allGains(ctx, p, p.A.Net)
	if err != nil {
		return e, false, err
	}
	b, err := allGains(ctx, p, p.B.Net)
	if err != nil {
		return e, false, err
	}
	c, ok := pairedByValue(a, b, mean(named.correlations))
	e = gainsOf(normsByValue)
	e.Statistic, e.Effect, e.N = c, c, min(values(a), values(b))
	e.Warnings = []string{"norm gains do not stand under names that tell which belong together: they were paired by their values"}
	return e, ok, nil
}

// allGains reads the gains of all norms, and what looks like some among the vectors of
// unknown role.
func allGains(ctx context.Context, p *align.Pair, n *roles.Network) (out [][]float32, err error) {
	for _, v := range gainVectors(n) {
		if len(out) == mostGains {
			break
		}
		if !p.ReserveVectors(v, nil) {
			continue
		}
		x, err := v.Read(ctx)
		if err != nil {
			return nil, err
		}
		if likeGains(x) {
			out = append(out, x)
		}
	}
	return out, nil
}

// gainVectors lists the norms of the towers of a network, and vectors of unknown role that
// are as long as their residual streams are wide.
func gainVectors(n *roles.Network) (out []*roles.Vector) {
	wide := map[int]bool{}
	add := func(v *roles.Vector) {
		if v != nil && v.Len >= gainLength && wide[v.Len] {
			out = append(out, v)
		}
	}
	for _, t := range n.Towers {
		wide[t.Hidden] = true
		for _, l := range t.Layers {
			add(l.AttnNorm)
			add(l.MLPNorm)
		}
		add(t.FinalNorm)
	}
	for _, v := range n.Vectors {
		add(v)
	}
	return out
}

// pairedByValue is the mean correlation of gains of one length, each with a partner of its
// own so that the sum is largest; ok where this clearly exceeds that of the pairs that are
// named, and what the best pairing of so many unrelated vectors comes to.
func pairedByValue(a, b [][]float32, named float64) (mean float64, ok bool) {
	n := min(len(a), len(b))
	if n < fewestGains {
		return 0, false
	}
	table := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			c, sound := 0.0, false
			if len(x) == len(y) {
				c, sound = stats.Correlation(x, y)
			}
			if !sound {
				c = 0
			}
			table = append(table, c)
		}
	}
	for i, j := range linalg.Assign(table, len(a), len(b)) {
		if j >= 0 {
			mean += float64(table[i*len(b)+j] / float64(n))
		}
	}
	chance := math.Sqrt(2 * math.Log(float64(max(len(a), len(b)))) / float64(len(a[0])))
	return mean, mean >= max(clearlyPaired, 2*chance) && mean-named >= moreThanNamed
}
