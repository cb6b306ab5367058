package basis

import "github.com/weightprint/weightprint/internal/dense"

// sweeps is how often Leading multiplies its start by the matrix.
const sweeps = 12

// Leading returns k orthonormal rows (k×n) that span the leading eigenvectors
// of a symmetric n×n matrix without negative eigenvalues, by subspace
// iteration from a start (k×n) in general position. Where eigenvalues about
// the k-th lie close together the span is a mixture of their directions.
func Leading(s []float32, n, k int, start []float32) []float32 {
	x := Orthonormal(start, k, n)
	for range sweeps {
		y := make([]float32, k*n)
		dense.MulNT(y, x, s, k, n, n) // s is symmetric
		x = Orthonormal(y, k, n)
	}
	return x
}

// Orthonormal returns an orthonormal basis of the rows of an r×c matrix, r ≤ c,
// by Cholesky factorisation of their Gram matrix, twice (CholeskyQR2). Rows
// that depend on others are lifted by a trace of the diagonal and come out
// short.
func Orthonormal(x []float32, r, c int) []float32 {
	for range 2 {
		g := make([]float32, r*r)
		dense.Gram(g, x, r, c)
		w := Wide(g)
		trace := 0.0
		for i := range r {
			trace += w[i*r+i]
		}
		if !(trace > 0) {
			return x
		}
		for i := range r {
			w[i*r+i] += 1e-7 * trace
		}
		l, ok := Cholesky(w, r)
		if !ok {
			return x
		}
		x = solveRows(l, x, r, c)
	}
	return x
}

// solveRows returns L⁻¹·X.
func solveRows(l []float64, x []float32, r, c int) []float32 {
	out := make([]float32, len(x))
	row := make([]float64, c)
	for i := range r {
		for k, v := range x[i*c : (i+1)*c] {
			row[k] = float64(v)
		}
		for j := range i {
			by := l[i*r+j]
			for k, v := range out[j*c : (j+1)*c] {
				row[k] -= float64(by * float64(v))
			}
		}
		for k, v := range row {
			out[i*c+k] = float32(v / l[i*r+i])
		}
	}
	return out
}
