package axis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/linalg"
)

// No direction of spectrum-flattened rows stands out, and responses to them are the same
// whichever way the space is turned.
func TestCutBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0xe5e))
	for _, c := range []struct{ n, d int }{{200, 64}, {400, 64}, {100, 160}} {
		x := make([]float32, c.n*c.d)
		strong := make([]float64, c.d)
		for k := range strong {
			strong[k] = r.NormFloat64()
		}
		for i := range c.n {
			w := 30 * r.NormFloat64()
			for k := range c.d {
				x[i*c.d+k] = float32(r.NormFloat64() + w*strong[k])
			}
		}
		centreTokens(x, c.n, c.d)
		turned := make([]float32, len(x)) // by a reflection
		for i := range c.n {
			dot, size := 0.0, 0.0
			for k := range c.d {
				dot += float64(x[i*c.d+k]) * float64(k+1)
				size += float64((k + 1) * (k + 1))
			}
			for k := range c.d {
				turned[i*c.d+k] = x[i*c.d+k] - float32(2*dot/size*float64(k+1))
			}
		}
		a, err := cutBack(x, c.n, c.d)
		require.NoError(t, err)
		b, err := cutBack(turned, c.n, c.d)
		require.NoError(t, err)
		wide := make([]float64, len(a))
		for i, v := range a {
			wide[i] = float64(v)
		}
		s, err := linalg.SingularValues(wide, c.n, c.d)
		require.NoError(t, err)
		require.Less(t, s[0], 4*s[min(c.n, c.d)/2])
		for i := range 20 { // products of rows are what responses are made of
			p, q := 0.0, 0.0
			for k := range c.d {
				p += float64(a[k]) * float64(a[i*c.d+k])
				q += float64(b[k]) * float64(b[i*c.d+k])
			}
			require.InDelta(t, p, q, 1e-3*math.Max(1, math.Abs(p)))
		}
	}
}
