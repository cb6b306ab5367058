package untrained

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/linalg"
)

func normal(r *rand.Rand, n, d int) []float32 {
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// Random rows pass: all but one in a thousand, of any shape that is tested.
func TestRandomRowsPass(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	failed, all, draws := 0, 0, 20
	if testing.Short() {
		draws = 3
	}
	for _, d := range []int{48, 64, 96, 300} {
		for _, n := range []int{64, 96, 128} {
			for range draws {
				x := normal(r, n, d)
				all++
				if Why(x, Cosines(x, n, d), n, d) != "" {
					failed++
				}
			}
		}
	}
	require.LessOrEqual(t, failed, 2, "of %d", all)
}

// What is called directed is what eigenvalues say, but for a narrow strip.
func TestDirectedIsTheLargestEigenvalue(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	const n, d = 64, 80
	limit := strongest * math.Pow(1+math.Sqrt(float64(n)/d), 2)
	seen := map[bool]int{}
	for k := range 60 {
		x := normal(r, n, d)
		for i := range n {
			for c := range d {
				x[i*d+c] += float32(k) / 60 * float32(i%7-3) * float32(c%2*2-1) * 0.3
			}
		}
		g := Cosines(x, n, d)
		values, err := linalg.SymEigenvalues(g, n)
		require.NoError(t, err)
		top := 0.0
		for _, v := range values {
			top = max(top, v)
		}
		got := directed(g, n, d)
		seen[got]++
		if top > limit || top < 0.98*limit {
			require.Equal(t, top > limit, got, "%g of %g", top, limit)
		}
	}
	require.Greater(t, min(seen[true], seen[false]), 5)
}

// Rows that lie apart, or have a direction, do not pass; signs change nothing.
func TestWhy(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	const n, d = 64, 128
	x := normal(r, n, d)
	require.Empty(t, Why(x, Cosines(x, n, d), n, d))
	flipped := normal(r, 0, 0)
	flipped = append(flipped, x...)
	for i := range flipped[:n*d/2] {
		flipped[i] = -flipped[i]
	}
	a, b := Cosines(x, n, d), Cosines(flipped, n, d)
	for i := range a {
		require.Equal(t, math.Abs(a[i]), math.Abs(b[i]))
	}
	common := append([]float32(nil), x...)
	for i := range common {
		common[i] += float32(i%d%3 - 1)
	}
	require.NotEmpty(t, Why(common, Cosines(common, n, d), n, d))
	apart := append([]float32(nil), x...) // by Gram and Schmidt
	for i := range n {
		for j := range i {
			c := 0.0
			for k := range d {
				c += float64(apart[i*d+k]) * float64(apart[j*d+k])
			}
			norm := 0.0
			for k := range d {
				norm += float64(apart[j*d+k]) * float64(apart[j*d+k])
			}
			for k := range d {
				apart[i*d+k] -= float32(c/norm) * apart[j*d+k]
			}
		}
	}
	require.Contains(t, Why(apart, Cosines(apart, n, d), n, d), "squared cosines")
}

// Rows of clusters that fill all directions alike have the squares and the
// eigenvalues of random ones, and do not pass.
func TestClustersDoNotPass(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct{ n, d, topics int }{{128, 48, 48}, {128, 96, 96}, {64, 16, 16}, {96, 64, 64}, {96, 200, 200}, {128, 96, 300}} {
		x := normal(r, c.n, c.d)
		way := normal(r, c.topics, c.d)
		for i := range c.n {
			topic := r.IntN(c.topics)
			for k := range c.d {
				x[i*c.d+k] = 0.3*x[i*c.d+k] + way[topic*c.d+k]
			}
			if c.topics <= c.d { // topics at right angles
				for k := range c.d {
					x[i*c.d+k] -= way[topic*c.d+k]
				}
				x[i*c.d+topic] += float32(math.Sqrt(float64(c.d)))
			}
		}
		require.NotEmpty(t, Why(x, Cosines(x, c.n, c.d), c.n, c.d), "%v", c)
	}
}

func TestExplained(t *testing.T) {
	require.InDelta(t, 0.22, Explained(128, 128, 128*127/2), 0.01)
	require.InDelta(t, 0.35, Explained(64, 64, 64*63/2), 0.01)
	require.Greater(t, Explained(64, 64, 100), Explained(64, 64, 1000))
	require.Greater(t, Explained(96, 20, 60), 1.0, "few common rows say nothing")
}
