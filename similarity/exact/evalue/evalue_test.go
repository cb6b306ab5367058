package evalue_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/exact/evalue"
)

// orders calls f with every permutation of n things.
func orders(n int, f func(p []int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var rec func(k int)
	rec = func(k int) {
		if k == n {
			f(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			rec(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	rec(0)
}

func table(r *rand.Rand, n int, size float64) []float32 {
	x := make([]float32, n*n)
	for i := range x {
		x[i] = float32(size * r.NormFloat64())
	}
	return x
}

func relabelled(x []float32, n int, p []int) []float32 {
	out := make([]float32, n*n)
	for j := range n {
		for i := range n {
			out[j*n+i] = x[j*n+p[i]]
		}
	}
	return out
}

func TestPermanentAgainstEnumeration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for m := 1; m <= 7; m++ {
		for _, size := range []float64{0.1, 3, 400} {
			x := make([]float64, m*m)
			for i := range x {
				x[i] = size * r.NormFloat64()
			}
			want := math.Inf(-1)
			orders(m, func(p []int) {
				s := 0.0
				for i, j := range p {
					s += x[i*m+j]
				}
				top := max(want, s)
				want = top + math.Log(math.Exp(want-top)+math.Exp(s-top))
			})
			require.InEpsilon(t, want, evalue.LogPermanent(x, m), 1e-9, "m %d, size %v", m, size)
		}
	}
}

// TestPermanentWhereEveryRowWantsTheSameColumn: scaled by rows, no product of
// such a matrix can be told from zero.
func TestPermanentWhereEveryRowWantsTheSameColumn(t *testing.T) {
	const m = 12
	x := make([]float64, m*m)
	for i := range m {
		x[i*m] = 900
	}
	want := 900 + lgamma(m)
	require.InDelta(t, want, evalue.LogPermanent(x, m), 1e-6)
}

func lgamma(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }

// long tells whether tests may take minutes.
func long() bool { return os.Getenv("WEIGHTPRINT_LONG") != "" }

// TestMeanIsOne runs over all orders of the labels: whatever the table and the
// blocks, the mean of the e-value is 1 to rounding. Eight labels are for long runs.
func TestMeanIsOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	most := 7
	if long() {
		most = 8
	}
	for n := 2; n <= most; n++ {
		for _, size := range []int{2, 3, 4, 12} {
			x := table(r, n, 0.3)
			x[0] = 5 // far out
			sum, count := 0.0, 0
			orders(n, func(p []int) {
				axis := evalue.Table{Likeness: relabelled(x, n, p), N: n, Name: "a"}
				sum += math.Exp(evalue.InBlocksOf(size, axis, nil))
				count++
			})
			require.InDelta(t, 1, sum/float64(count), 1e-9, "n %d, blocks of %d", n, size)
		}
	}
}

// nulls are ways to draw the rows of one side of a pair that shares nothing: plain,
// with ties, with near duplicates, with a few rows that all others resemble.
var nulls = map[string]func(r *rand.Rand, rows [][]float64){
	"plain": func(*rand.Rand, [][]float64) {},
	"ties": func(_ *rand.Rand, rows [][]float64) {
		for _, row := range rows {
			for k := range row {
				row[k] = math.Copysign(1, row[k])
			}
		}
	},
	"near duplicates": func(r *rand.Rand, rows [][]float64) {
		for i, row := range rows[1:] {
			if i%3 == 0 {
				for k := range row {
					row[k] = rows[0][k] + 1e-3*r.NormFloat64()
				}
			}
		}
	},
	"hubs": func(_ *rand.Rand, rows [][]float64) {
		for _, row := range rows[2:] {
			for k := range row {
				row[k] = 0.3*row[k] + rows[0][k] - rows[1][k]
			}
		}
	},
}

// TestNullDraws: over many pairs that share nothing the e-value is hardly ever large.
// P(E ≥ 10⁹) is at most 10⁻⁹, so that none of a million may be, but for one run in a
// thousand; and P(E ≥ 20) at most 1/20, of which the test allows four standard errors.
func TestNullDraws(t *testing.T) {
	draws := 2_000
	if long() {
		draws = 1_000_000
	}
	r := rand.New(rand.NewPCG(11, 12))
	rows := func(n, d int, change func(*rand.Rand, [][]float64)) [][]float64 {
		out := make([][]float64, n)
		for i := range out {
			out[i] = make([]float64, d)
			for k := range d {
				out[i][k] = r.NormFloat64()
			}
		}
		change(r, out)
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(nulls)) {
		beyond := 0
		for range draws / len(nulls) {
			n, d := 4+r.IntN(16), 1+r.IntN(24)
			a, b := rows(n, d, nulls[name]), rows(n, d, nulls[name])
			axis := evalue.Table{N: n, Name: "a", Likeness: make([]float32, n*n)}
			order := r.Perm(n)
			for j := range n {
				for i := range n {
					axis.Likeness[j*n+i] = float32(product(b[order[j]], a[i]))
				}
			}
			e := evalue.Blocks([]evalue.Table{axis}, []byte("s"))
			require.Less(t, e, math.Log(1e9), name)
			if e >= math.Log(20) {
				beyond++
			}
		}
		all := float64(draws / len(nulls))
		require.LessOrEqual(t, float64(beyond), all/20+4*math.Sqrt(all/20), name)
	}
}

func product(x, y []float64) (s float64) {
	var xx, yy float64
	for k, v := range x {
		s, xx, yy = s+v*y[k], xx+v*v, yy+y[k]*y[k]
	}
	return s / math.Sqrt(xx*yy)
}

// TestMeanIsOneWithSeveralBlocks draws orders of 14 labels, two blocks, on
// two axes. The mean of the draws, none counted beyond 20, is not much
// above 1.
func TestMeanIsOneWithSeveralBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n, draws = 14, 100
	sum, beyond := 0.0, 0
	for range draws {
		axes := []evalue.Table{{Likeness: table(r, n, 0.1), N: n, Name: "a"}, {Likeness: table(r, n, 0.1), N: n, Name: "b"}}
		e := math.Exp(evalue.Blocks(axes, []byte("s")))
		sum += min(e, 20)
		if e >= 20 {
			beyond++
		}
	}
	require.Less(t, sum/draws, 1.25)
	require.LessOrEqual(t, beyond, 12, "P(E ≥ 20) ≤ 1/20: more than 12 of 100 has probability < .002")
}

func TestFixedPointsMeanIsAtMostOne(t *testing.T) {
	for n := 1; n <= 8; n++ {
		sum, count := 0.0, 0
		orders(n, func(p []int) {
			k := 0
			for i, j := range p {
				if i == j {
					k++
				}
			}
			sum += math.Exp(evalue.FixedPoints(k, 1))
			count++
		})
		require.LessOrEqual(t, sum/float64(count), 1+1e-9, "n %d", n)
		require.Greater(t, sum/float64(count), 0.01)
	}
	require.InDelta(t, lgamma(1000)-1000*math.Log(6), evalue.FixedPoints(1000, 6), 15, "near one over the p-value")
}

// TestWeakSpreadLikeness: at ρ = .1, n = 384, d = 96 fixed points give a few
// digits, blocks many.
func TestWeakSpreadLikeness(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const n, d, rho = 192, 96, 0.1
	x := correlated(r, n, d, rho)
	fixed := 0
	for j := range n {
		best := 0
		for i := range n {
			if x[j*n+i] > x[j*n+best] {
				best = i
			}
		}
		if best == j {
			fixed++
		}
	}
	blocks := evalue.Blocks([]evalue.Table{{Likeness: x, N: n}}, nil) / math.Ln10
	require.Greater(t, blocks, 15.0)
	require.Greater(t, blocks, 3*evalue.FixedPoints(fixed, 1)/math.Ln10)
}

// correlated returns the cosines of n pairs of d-dimensional Gaussian rows.
func correlated(r *rand.Rand, n, d int, rho float64) []float32 {
	a, b := make([]float64, n*d), make([]float64, n*d)
	for i := range a {
		a[i] = r.NormFloat64()
		b[i] = rho*a[i] + math.Sqrt(1-rho*rho)*r.NormFloat64()
	}
	out := make([]float32, n*n)
	for j := range n {
		for i := range n {
			var xy, xx, yy float64
			for k := range d {
				xy += a[i*d+k] * b[j*d+k]
				xx += a[i*d+k] * a[i*d+k]
				yy += b[j*d+k] * b[j*d+k]
			}
			out[j*n+i] = float32(xy / math.Sqrt(xx*yy))
		}
	}
	return out
}

func TestMix(t *testing.T) {
	require.InDelta(t, math.Log(2.5), evalue.Mix(math.Log(1), math.Log(4)), 1e-12)
	require.Zero(t, evalue.LogP(-3))
	require.Equal(t, -3.0, evalue.LogP(3))
}

func TestDegenerateTables(t *testing.T) {
	require.InDelta(t, 0, evalue.Blocks(nil, nil), 1e-12)
	require.InDelta(t, 0, evalue.Blocks([]evalue.Table{{Likeness: make([]float32, 400), N: 20}}, nil), 1e-12, "all alike")
	require.InDelta(t, 0, evalue.Blocks([]evalue.Table{{Likeness: []float32{1}, N: 1}}, nil), 1e-12)
}
