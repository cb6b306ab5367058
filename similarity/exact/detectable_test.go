package exact

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact/evalue"
	"github.com/weightprint/weightprint/similarity/stats"
)

// alike draws the likenesses of Gaussian rows of correlation rho.
func alike(r *rand.Rand, n, d int, rho float64) evalue.Table {
	a, b := make([]float64, n*d), make([]float64, n*d)
	for i := range a {
		a[i] = r.NormFloat64()
		b[i] = rho*a[i] + math.Sqrt(1-rho*rho)*r.NormFloat64()
	}
	unit := func(x []float64) {
		for i := 0; i < len(x); i += d {
			s := 0.0
			for _, v := range x[i : i+d] {
				s += v * v
			}
			for k := range d {
				x[i+k] /= math.Sqrt(s)
			}
		}
	}
	unit(a)
	unit(b)
	t := evalue.Table{N: n, Likeness: make([]float32, n*n)}
	for j := range n {
		for i := range n {
			s := 0.0
			for k := range d {
				s += b[j*d+k] * a[i*d+k]
			}
			t.Likeness[j*n+i] = float32(s)
		}
	}
	return t
}

// TestDetectableIsDetected: likeness of the stated size is found nearly always, and of
// half that size hardly ever.
func TestDetectableIsDetected(t *testing.T) {
	const level, draws = stats.LogP(-20.72), 30
	for _, s := range [][2]int{{64, 64}, {128, 32}} {
		rho := byBets(float64(s[0]*s[1]), level)
		count := func(rho float64) (found int) {
			r := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1])))
			for range draws {
				w := weigh(alike(r, s[0], s[1], rho), nil)
				if evalue.LogP(labelE(w)) <= float64(level) {
					found++
				}
			}
			return found
		}
		require.GreaterOrEqual(t, count(rho), draws-2, fmt.Sprint(s, rho))
		require.LessOrEqual(t, count(rho/2), draws/10, fmt.Sprint(s, rho/2))
	}
}

// TestDetectableNearTheBound: the stated likeness is not far from what an optimal test
// would find.
func TestDetectableNearTheBound(t *testing.T) {
	for _, nd := range []float64{4e3, 4e4, 4e5} {
		rho, best := byBets(nd, stats.LogP(math.Log(1e-9))), 9.1/math.Sqrt(nd)
		require.Greater(t, rho, best)
		require.Less(t, rho, 1.4*best)
	}
	require.Equal(t, 1.0, byBets(0, -20))
	require.Empty(t, Detect(nil, -20))
	require.Empty(t, Detect([]*axis.Axis{{Skipped: "sorted"}}, -20))
}
