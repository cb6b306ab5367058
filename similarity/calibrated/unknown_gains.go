package calibrated

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Of vectors whose role is unknown those count as gains that are long enough,
// positive around a mean of at least twice their spread on both sides, not the
// same on both sides, and without an order of their own: no biases, tables or
// statistics of activations.
const (
	gainLength = 16
	gainSpread = 0.5
	tableOrder = 0.8 // correlation of neighbours from which a vector is a table
)

// unknownGains correlates what seem to be gains in networks of unknown roles. Where a
// vector has another name on the other side, nothing says which is its partner: then it
// counts as it correlates with the one that it is most like, which is no less. The axis says
// where at least as many values stand in vectors that are the same, and vary: these say
// nothing, as they may have been put there, but what the others say is not all then.
func unknownGains(ctx context.Context, p *align.Pair) (similarity.Evidence, error) {
	e := similarity.Evidence{Test: "gains", Axis: "unknown vectors", Component: "generic", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned}
	pairs, err := gainsOfUnknownRole(ctx, p)
	if err != nil {
		return e, err
	}
	var sum float64
	n, same := 0, 0
	for _, v := range pairs {
		if c, ok := v.correlation(pairs); ok {
			sum += c
			n++
			e.N += len(v.a)
		} else if slices.Equal(v.a, v.b) && likeGains(v.a) && spread(v.a) > 0 {
			same += len(v.a)
		}
	}
	if n == 0 {
		e.Skipped = "no vectors of unknown role that look like gains"
		return e, nil
	}
	if same >= e.N {
		e.Axis = "unknown vectors, of which as many are the same"
	}
	e.Statistic = sum / float64(n)
	e.Effect = e.Statistic
	return e, nil
}

// unknownPair are two vectors of unknown role that are held against one another.
type unknownPair struct {
	a, b  []float32
	named bool // alike on both sides
}

func gainsOfUnknownRole(ctx context.Context, p *align.Pair) (out []unknownPair, err error) {
	for _, v := range p.Match().Vectors {
		if v.Component != "generic" || v.A.Len != v.B.Len || v.A.Len < gainLength || strings.Contains(v.B.Tensor.Name, "running_") || strings.Contains(v.B.Tensor.Name, "moving_") {
			continue
		}
		if !p.ReserveVectors(v.A, v.B) {
			continue
		}
		x := unknownPair{named: v.A.Tensor.Name == v.B.Tensor.Name}
		if x.a, err = v.A.Read(ctx); err != nil {
			return nil, err
		}
		if x.b, err = v.B.Read(ctx); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// correlation is that of the two vectors, or where nothing but their places pairs them
// the largest with any of those of A.
func (v unknownPair) correlation(all []unknownPair) (c float64, ok bool) {
	if !v.named {
		for _, o := range all {
			if x, sound := asGains(o.a, v.b); sound && (!ok || x > c) {
				c, ok = x, true
			}
		}
		return c, ok
	}
	return asGains(v.a, v.b)
}

// asGains correlates two vectors that look like gains, are not the same, and neither of
// which was drawn and moved into matrices.
func asGains(a, b []float32) (float64, bool) {
	if len(a) != len(b) || slices.Equal(a, b) || !likeGains(a) || !likeGains(b) || rescaledApart(spread(a), spread(b)) {
		return 0, false
	}
	return stats.Correlation(a, b)
}

// likeGains tells whether a vector looks like gains.
func likeGains(x []float32) bool {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	if s := spread(x); !(sum > 0) || !(s <= gainSpread) {
		return false
	}
	c, ok := stats.Correlation(x[1:], x[:len(x)-1])
	return !ok || math.Abs(c) < tableOrder
}
