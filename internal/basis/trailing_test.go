package basis_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Directions below the bound are found in any basis, however many there are.
func TestTrailingSpansTheSmallestDirections(t *testing.T) {
	const n, bound = 40, 0.02
	r := rand.New(rand.NewPCG(3, 1))
	for _, small := range []int{0, 1, 7, 39} {
		turn := basis.Orthonormal(normal(r, n*n), n, n)
		s := make([]float64, n*n)
		for k := range n {
			value := 0.1 + r.Float64()
			if k < small {
				value = bound * float64(k) / float64(2*small) // down to nothing at all
			}
			for i := range n {
				for j := range n {
					s[i*n+j] += value * float64(turn[k*n+i]) * float64(turn[k*n+j])
				}
			}
		}
		got := basis.Trailing(s, n, bound, 6, rng.New([]byte{1}, "test"))
		require.Len(t, got, small*n)
		identity(t, got, small, n)
		along := make([]float32, small*n)
		dense.MulNT(along, got, turn, small, n, n)
		for i, x := range along {
			if i%n >= small {
				require.InDelta(t, 0, x, 0.01, "%d small, direction %d", small, i%n)
			}
		}
	}
}
