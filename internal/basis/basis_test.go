package basis_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
)

func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// identity tells whether the rows of x (n×d) are orthonormal.
func identity(t *testing.T, x []float32, n, d int) {
	t.Helper()
	g := make([]float32, n*n)
	dense.Gram(g, x, n, d)
	for i := range n {
		for j := range n {
			want := 0.0
			if i == j {
				want = 1
			}
			require.InDelta(t, want, g[i*n+j], 1e-4)
		}
	}
}

func TestPolarFindsTheRotation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, shape := range [][2]int{{20, 20}, {12, 20}, {20, 12}} {
		rows, cols := shape[0], shape[1]
		x := basis.Polar(normal(r, rows*cols), rows, cols)
		if rows > cols {
			x, rows, cols = basis.Transpose(x, rows, cols), cols, rows
		}
		identity(t, x, rows, cols)
	}
	turn := basis.Orthonormal(normal(r, 400), 20, 20)
	stretched := basis.Mul(basis.ColumnGram(normal(r, 60*20), 60, 20), turn, 20, 20, 20) // positive · rotation
	require.InDeltaSlice(t, turn, basis.Polar(stretched, 20, 20), 1e-3)
	require.Equal(t, make([]float32, 9), basis.Polar(make([]float32, 9), 3, 3))
}

func TestLeadingSpansTheLargestDirections(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	s := make([]float32, 30*30)
	for i := range 30 {
		s[i*30+i] = 1
		if i < 5 {
			s[i*30+i] = 20
		}
	}
	x := basis.Leading(s, 30, 5, normal(r, 5*30))
	identity(t, x, 5, 30)
	for i := range 5 {
		require.Less(t, dense.Norm(x[i*30+5:(i+1)*30]), 1e-3)
	}
}

func TestRegress(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	x, w := normal(r, 50*6), normal(r, 6*4)
	y := basis.Mul(x, w, 50, 6, 4)
	cross := basis.Mul(basis.Transpose(x, 50, 6), y, 6, 50, 4)
	require.InDeltaSlice(t, w, basis.Regress(basis.ColumnGram(x, 50, 6), cross, 6, 4, 1e-6), 1e-2)
}
