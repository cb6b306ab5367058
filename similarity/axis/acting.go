package axis

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Acting says how the gains of the norm before a matrix agree, wherever each side keeps
// them: Correlation[0] is that of A's stored gains, around their mean, with A's times the
// size of B's columns in units of A's, both as gains act on them, over corresponding units
// that are brought to one length and sign. [1] is the reverse. Whoever moves gains into
// columns or out of them, puts on those of another network, scales or flips units or puts
// them in another order does not alter that of the other side; his own he may choose.
// Expected is about what it would be were the gains of both sides the same, as columns
// scatter by what units differ otherwise. N is how many gains it rests on, 0 where it could
// not be told.
type Acting struct {
	Correlation, Expected [2]float64
	N                     [2]int
}

// actingOf compares columns over pairs of units of a view, whose rows hold the gains.
func actingOf(v bothSides, pairs []unitPair) (out Acting) {
	if v.gains[0] == nil || len(v.gains[0]) != v.a.Dim || len(v.gains[1]) != v.a.Dim {
		return out
	}
	var sums [3][]float64 // products of A with A, B with B, A with B, column by column
	for i := range sums {
		sums[i] = make([]float64, v.a.Dim)
	}
	for _, p := range pairs {
		a, b := v.a.Raw[p.a*v.a.Dim:(p.a+1)*v.a.Dim], v.b.Raw[p.b*v.b.Dim:(p.b+1)*v.b.Dim]
		x, y := dense.Norm(a), dense.Norm(b)
		if !(x > 0 && y > 0) || math.IsInf(x, 0) || math.IsInf(y, 0) {
			continue
		}
		if p.flipped {
			y = -y
		}
		for k := range a {
			s, t := float64(a[k])/x, float64(b[k])/y
			sums[0][k] += float64(s * s)
			sums[1][k] += float64(t * t)
			sums[2][k] += float64(s * t)
		}
	}
	scatter := scatterOf(sums, len(pairs))
	for side, stored := range v.gains {
		own, acting := make([]float64, len(stored)), make([]float64, len(stored))
		for k, g := range stored {
			own[k] = float64(g)
			acting[k] = own[k] * sums[2][k] / math.Max(sums[side][k], 1e-30)
		}
		if c, ok := stats.Correlation(own, acting); ok {
			x := spread(own)
			out.Correlation[side], out.Expected[side], out.N[side] = c, x/math.Hypot(x, scatter), len(own)
		}
	}
	return out
}

// scatterOf is by how much of itself the size of a column, in units of the other side's, is
// off where n units have the cosine r that sums show: √((1−r²)/n)/r, the standard error of
// a slope.
func scatterOf(sums [3][]float64, n int) float64 {
	var total [3]float64
	for i, x := range sums {
		for _, v := range x {
			total[i] += v
		}
	}
	r := total[2] / math.Sqrt(math.Max(total[0]*total[1], 1e-300))
	return math.Sqrt(math.Max(0, 1-float64(r*r))/float64(n)) / math.Max(r, 1e-30)
}

// spread is the standard deviation by the root mean square.
func spread(x []float64) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += v
		squares += float64(v * v)
	}
	mean := sum / float64(len(x))
	return math.Sqrt(math.Max(0, 1-float64(mean*mean)*float64(len(x))/math.Max(squares, 1e-300)))
}

// readGains reads the gains that a view's rows are multiplied by.
func (v *bothSides) readGains(ctx context.Context) (err error) {
	if !v.plan.norm || v.plan.a.Gain == nil || v.plan.b.Gain == nil {
		return nil
	}
	if v.gains[0], err = v.plan.a.Gain.Read(ctx); err == nil {
		v.gains[1], err = v.plan.b.Gain.Read(ctx)
	}
	return err
}
