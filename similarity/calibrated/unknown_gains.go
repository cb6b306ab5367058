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

// unknownGains correlates what seem to be gains in networks of unknown roles.
func unknownGains(ctx context.Context, p *align.Pair) (similarity.Evidence, error) {
	e := similarity.Evidence{Test: "gains", Axis: "unknown vectors", Component: "generic", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLearned}
	var sum float64
	n := 0
	for _, v := range p.Match().Vectors {
		if v.Component != "generic" || v.A.Len != v.B.Len || v.A.Len < gainLength || strings.Contains(v.B.Tensor.Name, "running_") || strings.Contains(v.B.Tensor.Name, "moving_") {
			continue
		}
		if !p.ReserveVectors(v.A, v.B) {
			continue
		}
		a, err := v.A.Read(ctx)
		if err != nil {
			return e, err
		}
		b, err := v.B.Read(ctx)
		if err != nil {
			return e, err
		}
		if c, ok := stats.Correlation(a, b); ok && likeGains(a) && likeGains(b) && !slices.Equal(a, b) {
			sum += c
			n++
			e.N += len(a)
		}
	}
	if n == 0 {
		e.Skipped = "no vectors of unknown role that look like gains"
		return e, nil
	}
	e.Statistic = sum / float64(n)
	e.Effect = e.Statistic
	return e, nil
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
