package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/weightprint/weightprint/similarity/stats"
)

// An optimiser that relabels, flips and rotates an independent network after
// another reaches less than Reach says, and not far less.
func TestReachHoldsAgainstAnOptimiser(t *testing.T) {
	for _, a := range []stats.Arrangement{
		{Units: 48, Choice: 48, Layers: 2, Views: 3, Width: 24, Rank: 24, Turned: true},
		{Units: 64, Choice: 64, Layers: 3, Views: 3, Width: 32, Rank: 32, Turned: true},
		{Units: 96, Choice: 96, Layers: 2, Views: 2, Width: 48, Rank: 48, Turned: true},
		{Units: 32, Choice: 96, Layers: 2, Views: 2, Width: 48, Rank: 48, Turned: true},
		{Units: 96, Choice: 96, Layers: 1, Views: 3, Width: 32, Rank: 32, Turned: true},
	} {
		got := arrange(a, 1)
		require.Less(t, got, a.Reach(), "%+v", a)
		require.Greater(t, got, a.Reach()/2, "%+v: the bound would be useless", a)
	}
}

func TestReach(t *testing.T) {
	require.Equal(t, 1.0, stats.Arrangement{}.Reach())
	a := stats.Arrangement{Units: 256, Choice: 256, Layers: 6, Views: 3, Width: 96, Rank: 96, Turned: true}
	require.InDelta(t, 0.85*math.Sqrt(96.0/(256*6*3))+math.Sqrt(2*(math.Log(512)-1)/(3*96)), a.Reach(), 5e-3)
	more := a
	more.Choice = 4096
	require.Greater(t, more.Reach(), a.Reach(), "a choice of units helps")
	flat := a
	flat.Rank = 12
	require.Greater(t, flat.Reach(), a.Reach(), "vectors in few directions are alike by themselves")
	fixed := a
	fixed.Turned = false
	require.Less(t, fixed.Reach(), a.Reach())
	chosen := a
	chosen.Layers, chosen.Among = 2, 6
	two := chosen
	two.Among = 0
	require.Greater(t, chosen.Reach(), two.Reach(), "so does a choice of layers, a little")
	require.Less(t, chosen.Reach(), two.Reach()+0.01)
	columns := a
	columns.Columns = true
	require.Greater(t, columns.Reach(), a.Reach())
}

// arrange alternates the best relabelling, greedily, and the best rotation and
// returns the mean cosine that it ends with.
func arrange(a stats.Arrangement, seed uint64) float64 {
	r := rand.New(rand.NewPCG(seed, 7))
	fixed, free := make([][]*mat.Dense, a.Layers), make([][]*mat.Dense, a.Layers)
	for l := range a.Layers {
		for range a.Views {
			fixed[l] = append(fixed[l], unitRows(r, a.Choice, a.Width))
			free[l] = append(free[l], unitRows(r, a.Choice, a.Width))
		}
	}
	turn := mat.NewDense(a.Width, a.Width, nil)
	for i := range a.Width {
		turn.Set(i, i, 1)
	}
	mean := 0.0
	for range 8 {
		sum := mat.NewDense(a.Width, a.Width, nil)
		mean = 0
		for l := range a.Layers {
			turned := make([]*mat.Dense, a.Views)
			for v := range turned {
				turned[v] = new(mat.Dense)
				turned[v].Mul(free[l][v], turn)
			}
			for _, p := range greedy(a, fixed[l], turned) {
				for v := range a.Views {
					x, y := fixed[l][v].RowView(p.i), free[l][v].RowView(p.j)
					c := mat.Dot(x, turned[v].RowView(p.j))
					sign := 1.0
					if v > 0 && c < 0 {
						sign = -1
					}
					mean += sign * c / float64(a.Units*a.Views*a.Layers)
					var outer mat.Dense
					outer.Outer(sign, y, x)
					sum.Add(sum, &outer)
				}
			}
		}
		var svd mat.SVD
		svd.Factorize(sum, mat.SVDFull)
		var u, v mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		turn = new(mat.Dense)
		turn.Mul(&u, v.T())
	}
	return mean
}

type couple struct{ i, j int }

// greedy pairs the units that are most alike, the first view with its sign and
// the others without, and keeps the best a.Units pairs.
func greedy(a stats.Arrangement, fixed, turned []*mat.Dense) (out []couple) {
	score := mat.NewDense(a.Choice, a.Choice, nil)
	for v := range fixed {
		var c mat.Dense
		c.Mul(fixed[v], turned[v].T())
		if v > 0 {
			c.Apply(func(_, _ int, x float64) float64 { return math.Abs(x) }, &c)
		}
		score.Add(score, &c)
	}
	usedI, usedJ := map[int]bool{}, map[int]bool{}
	for len(out) < a.Units {
		best, at := math.Inf(-1), couple{}
		for i := range a.Choice {
			for j := range a.Choice {
				if !usedI[i] && !usedJ[j] && score.At(i, j) > best {
					best, at = score.At(i, j), couple{i, j}
				}
			}
		}
		usedI[at.i], usedJ[at.j] = true, true
		out = append(out, at)
	}
	return out
}

func unitRows(r *rand.Rand, n, d int) *mat.Dense {
	m := mat.NewDense(n, d, nil)
	for i := range n {
		norm := 0.0
		for k := range d {
			x := r.NormFloat64()
			m.Set(i, k, x)
			norm += x * x
		}
		for k := range d {
			m.Set(i, k, m.At(i, k)/math.Sqrt(norm))
		}
	}
	return m
}
