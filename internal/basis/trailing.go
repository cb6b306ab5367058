package basis

import (
	"math"

	"github.com/weightprint/weightprint/internal/rng"
)

// Trailing returns orthonormal rows (k×n) that span the eigenvectors of a symmetric n×n
// matrix without negative eigenvalues whose eigenvalues are below a bound, nil where there
// are none. How many there are follows from the signs of the pivots of S − bound·1
// (Sylvester's law of inertia), the directions from inverse iteration; start is where it
// begins.
func Trailing(s []float64, n int, bound float64, sweeps int, start *rng.Stream) []float32 {
	k := below(s, n, bound)
	if k == 0 {
		return nil
	}
	l, ok := Cholesky(plus(s, n, bound/8), n)
	if !ok {
		return nil
	}
	x := make([]float32, k*n)
	for i := range x {
		x[i] = float32(int64(start.Uint64()>>40)-1<<23) / (1 << 23)
	}
	for range sweeps {
		y := solveBack(l, solveRows(l, Transpose(x, k, n), n, k), n, k)
		x = Orthonormal(Transpose(y, n, k), k, n)
	}
	return x
}

// plus adds to the diagonal.
func plus(s []float64, n int, by float64) []float64 {
	out := append([]float64(nil), s...)
	for i := range n {
		out[i*n+i] += by
	}
	return out
}

// below counts the eigenvalues of S that are less than a bound.
func below(s []float64, n int, bound float64) (count int) {
	if _, ok := Cholesky(plus(s, n, -bound), n); ok {
		return 0
	}
	a := plus(s, n, -bound)
	for j := range n {
		pivot := a[j*n+j]
		if pivot < 0 {
			count++
		}
		if math.Abs(pivot) < 1e-12*bound {
			pivot = math.Copysign(1e-12*bound, pivot)
		}
		for i := j + 1; i < n; i++ {
			by := a[i*n+j] / pivot
			for c := j + 1; c <= i; c++ {
				a[i*n+c] -= float64(by * a[c*n+j])
			}
		}
	}
	return count
}
