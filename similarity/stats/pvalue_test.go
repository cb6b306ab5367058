package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// ln is the natural logarithm of a positive rational number of any size.
func ln(x *big.Rat) float64 {
	of := func(n *big.Int) float64 {
		shift := max(0, n.BitLen()-60)
		f, _ := new(big.Float).SetInt(new(big.Int).Rsh(n, uint(shift))).Float64()
		return math.Log(f) + float64(shift)*math.Ln2
	}
	return of(x.Num()) - of(x.Denom())
}

func factorial(n int) *big.Int { return new(big.Int).MulRange(1, int64(n)) }

func choose(n, k int) *big.Int { return new(big.Int).Binomial(int64(n), int64(k)) }

// permutations visits all orders of 0 … n-1.
func permutations(n int, f func([]int)) {
	p := make([]int, n)
	var fill func(k int, used int)
	fill = func(k, used int) {
		if k == n {
			f(p)
			return
		}
		for v := range n {
			if used>>v&1 == 0 {
				p[k] = v
				fill(k+1, used|1<<v)
			}
		}
	}
	fill(0, 0)
}

// tail turns counts of outcomes into the chances of at least so many.
func tail(counts []float64) []float64 {
	all, out := 0.0, make([]float64, len(counts)+1)
	for _, c := range counts {
		all += c
	}
	for k := len(counts) - 1; k >= 0; k-- {
		out[k] = out[k+1] + counts[k]/all
	}
	return out
}

// The bound on fixed points is l^k/k!, and never below the chance that counting
// all relabellings gives.
func TestFixedPoints(t *testing.T) {
	for _, c := range []struct{ k, l int }{{1, 1}, {5, 1}, {20, 3}, {384, 6}, {1536, 24}, {40000, 32}} {
		x := new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(int64(c.l)), big.NewInt(int64(c.k)), nil), factorial(c.k))
		require.InEpsilon(t, 1, 1+math.Abs(float64(FixedPoints(c.k, c.l))-math.Min(0, ln(x))), 1e-6, "%v", c)
	}
	const n = 6
	one := make([]float64, n+1)
	permutations(n, func(p []int) {
		k := 0
		for i, v := range p {
			if i == v {
				k++
			}
		}
		one[k]++
	})
	all := []float64{1}
	for l := 1; l <= 3; l++ {
		next := make([]float64, len(all)+n)
		for i, x := range all {
			for k, y := range one {
				next[i+k] += x * y
			}
		}
		all = next
		for k, chance := range tail(all) {
			require.LessOrEqual(t, chance, math.Exp(float64(FixedPoints(k, l)))*(1+1e-12), "%d fixed points on %d axes", k, l)
		}
	}
	require.Zero(t, FixedPoints(0, 5))
	require.Zero(t, FixedPoints(5, 0))
	require.InDelta(t, 1/720.0, math.Exp(float64(FixedPoints(n, 1))), 1e-12, "all fixed: exact")
}

// longest finds the longest increasing subsequence by trying all of them.
func longest(seq []int) (best int) {
	for mask := range 1 << len(seq) {
		last, n := math.MinInt, 0
		for i, v := range seq {
			if mask>>i&1 == 0 {
				continue
			}
			if v <= last {
				n = -1
				break
			}
			last, n = v, n+1
		}
		best = max(best, n)
	}
	return best
}

func TestLongestIncreasing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for range 400 {
		seq := make([]int, r.IntN(11))
		for i := range seq {
			seq[i] = r.IntN(12) - 3
		}
		require.Equal(t, longest(seq), LongestIncreasing(seq), "%v", seq)
	}
	require.Zero(t, LongestIncreasing(nil))
}

// The bound on units in order is C(n,k)/k!, and never below the chance that
// counting all orders gives.
func TestOrdered(t *testing.T) {
	for _, c := range []struct{ n, k int }{{6, 6}, {64, 30}, {1024, 1024}, {4096, 700}} {
		x := new(big.Rat).SetFrac(choose(c.n, c.k), factorial(c.k))
		require.InEpsilon(t, 1, 1+math.Abs(float64(Ordered(c.n, c.k))-math.Min(0, ln(x))), 1e-6, "%v", c)
	}
	const n = 6
	counts := make([]float64, n+1)
	permutations(n, func(p []int) { counts[longest(p)]++ })
	for k, chance := range tail(counts) {
		require.LessOrEqual(t, chance, math.Exp(float64(Ordered(n, k)))*(1+1e-12), "%d in order", k)
	}
	require.Zero(t, Ordered(10, 0))
	require.True(t, math.IsInf(float64(Ordered(4, 5)), -1), "more in order than there are")
}

func TestSignAgreements(t *testing.T) {
	for _, c := range []struct{ s, m int }{{1, 1}, {3, 4}, {12, 20}, {760, 1536}, {1200, 1536}, {1536, 1536}} {
		sum := new(big.Int)
		for i := c.s; i <= c.m; i++ {
			sum.Add(sum, choose(c.m, i))
		}
		want := ln(new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(c.m))))
		require.InDelta(t, want, float64(SignAgreements(c.s, c.m)), 1e-8, "%v", c)
	}
	require.Zero(t, SignAgreements(0, 10))
}

// Hoeffding's bound covers what trying all signs gives.
func TestSwaps(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 6))
	for range 20 {
		const n = 10
		var d [n]float64
		squares, size := 0.0, 0.0
		for i := range d {
			d[i] = r.NormFloat64()
			squares += d[i] * d[i]
			size += math.Abs(d[i])
		}
		for _, share := range []float64{0.1, 0.3, 0.6, 0.9} {
			reached := 0.0
			for mask := range 1 << n {
				sum := 0.0
				for i, x := range d {
					sum += x * float64(1-2*(mask>>i&1))
				}
				if sum >= share*size {
					reached++
				}
			}
			require.LessOrEqual(t, reached/(1<<n), math.Exp(float64(Swaps(share*size, squares))))
		}
	}
	require.InDelta(t, -9.0/8, float64(Swaps(3, 4)), 1e-15)
	require.Zero(t, Swaps(-3, 4))
	require.Zero(t, Swaps(0, 0))
}

// gammaTail integrates the density of a sum of n exponential variables from x on
// (Simpson's rule).
func gammaTail(n int, x float64) float64 {
	const steps = 20000
	h := (60 + 4*float64(n)) / steps
	scale := math.Exp(-x)
	for i := 1; i < n; i++ {
		scale /= float64(i)
	}
	sum := 0.0
	for k := range steps + 1 {
		w := []float64{2, 4}[k%2]
		if k == 0 || k == steps {
			w = 1
		}
		u := h * float64(k)
		sum += w * math.Pow(x+u, float64(n-1)) * math.Exp(-u)
	}
	return sum * h / 3 * scale
}

func TestFisher(t *testing.T) {
	for _, ps := range [][]LogP{{-3}, {0, -1}, {-0.2, -4, -0.01}, {-2, -2, -2, -2, -2}, {-30, -1, -0.5, 0, 0, -7}} {
		half := 0.0
		for _, p := range ps {
			half -= float64(p)
		}
		require.InEpsilon(t, gammaTail(len(ps), half), math.Exp(float64(Fisher(ps))), 1e-7, "%v", ps)
	}
	require.Zero(t, Fisher(nil))
	require.Zero(t, Fisher([]LogP{0, 0, 0}))
	require.InDelta(t, -1000+math.Log(1001), float64(Fisher([]LogP{-400, -600})), 1e-9, "far below what a probability can hold")
}

func TestBonferroni(t *testing.T) {
	require.InDelta(t, math.Log(0.03), float64(Bonferroni(LogP(math.Log(0.01)), 3)), 1e-15)
	require.Zero(t, Bonferroni(-1, 3), "no probability above one")
	require.Equal(t, LogP(-5), Bonferroni(-5, 0))
	require.InDelta(t, -2, LogP(math.Log(0.01)).Log10(), 1e-15)
}

func TestCorrelation(t *testing.T) {
	ramp, third := make([]float32, 100), make([]float64, 100)
	for i := range ramp {
		ramp[i], third[i] = float32(i), math.Pow(float64(i)/99, 3)
	}
	flipped, constant, nearly := make([]float32, 100), make([]float32, 100), make([]float32, 100)
	for i := range flipped {
		flipped[i], constant[i] = 5-2*ramp[i], 1.1
		nearly[i] = 1.1
	}
	nearly[3] = math.Nextafter32(1.1, 2)
	c, ok := Correlation(ramp, flipped)
	require.True(t, ok)
	require.InDelta(t, -1, c, 1e-12)
	wide := make([]float64, 100)
	for i, v := range ramp {
		wide[i] = float64(v)
	}
	c, ok = Correlation(wide, third)
	require.True(t, ok)
	// Σ of powers give 0.9166… for the uniform ramp and its cube: 3/20 / √(1/12 · 9/112).
	require.InDelta(t, (3.0/40)/math.Sqrt(1.0/12*9/112), c, 2e-3)
	for _, x := range [][2][]float32{{ramp, constant}, {constant, ramp}, {constant, constant}, {nearly, ramp}, {make([]float32, 100), ramp}, {{}, {}}, {{1, 2, float32(math.NaN())}, {1, 2, 3}}, {{1, 2, float32(math.Inf(1))}, {1, 2, 3}}} {
		c, ok := Correlation(x[0], x[1])
		require.False(t, ok)
		require.Zero(t, c)
	}
	constant[7] = 1.2
	_, ok = Correlation(constant, ramp)
	require.True(t, ok, "one value that differs is variation")
}

// Tails that are kept are those that are worked out.
func TestSignAgreementsAreKeptToTheBit(t *testing.T) {
	for _, m := range []int{0, 1, 9, 96, 128, 129, 300} {
		for s := range m + 2 {
			want := LogP(0)
			if s > 0 {
				want = headsOrMore(m, s, nil)
			}
			require.Equal(t, want, SignAgreements(s, m), "%d of %d", s, m)
		}
	}
}
