package basis

import "github.com/weightprint/weightprint/internal/dense"

// sweeps is how often Leading multiplies its start by the matrix.
const sweeps = 8

// Leading returns k orthonormal rows (k×n) that span the leading eigenvectors
// of a symmetric n×n matrix without negative eigenvalues, by subspace
// iteration from a start (k×n) in general position. Where eigenvalues about
// the k-th lie close together the span is a mixture of their directions.
func Leading(s []float32, n, k int, start []float32) []float32 {
	x := start
	for range sweeps {
		y := make([]float32, k*n)
		dense.MulNT(y, evenRows(x, k, n), s, k, n, n) // s is symmetric
		x = y
	}
	return Orthonormal(x, k, n)
}

// Orthonormal returns an orthonormal basis of the rows of an r×c matrix, r ≤ c.
func Orthonormal(x []float32, r, c int) []float32 {
	for range 3 {
		x = evenRows(x, r, c)
	}
	return x
}

// lift is the share of the trace that is added to a Gram matrix so that its
// factor exists; what it leaves undone the next pass makes good (shifted
// Cholesky QR, Fukaya et al., SIAM J. Sci. Comput. 2020).
const lift = 1e-12

// evenRows makes rows more nearly orthonormal without changing their span, by
// one pass of Cholesky factorisation of their Gram matrix.
func evenRows(x []float32, r, c int) []float32 {
	g := gram64(x, r, c)
	trace := 0.0
	for i := range r {
		trace += g[i*r+i]
	}
	for i := range r {
		g[i*r+i] += lift * trace
	}
	l, ok := Cholesky(g, r)
	if !ok {
		return x
	}
	return solveRows(l, x, r, c)
}

// gram64 is X·Xᵀ summed in float64, its lower half.
func gram64(x []float32, r, c int) []float64 {
	g := make([]float64, r*r)
	dense.Parallel(r, func(i int) {
		row := x[i*c : (i+1)*c]
		for j := range i + 1 {
			var s0, s1, s2, s3 float64
			other := x[j*c : (j+1)*c]
			k := 0
			for ; k+4 <= c; k += 4 {
				s0 += float64(float64(row[k]) * float64(other[k]))
				s1 += float64(float64(row[k+1]) * float64(other[k+1]))
				s2 += float64(float64(row[k+2]) * float64(other[k+2]))
				s3 += float64(float64(row[k+3]) * float64(other[k+3]))
			}
			for ; k < c; k++ {
				s0 += float64(float64(row[k]) * float64(other[k]))
			}
			g[i*r+j] = (s0 + s1) + (s2 + s3)
		}
	})
	return g
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
			dense.AddMultiple32(row, -l[i*r+j], out[j*c:(j+1)*c])
		}
		for k, v := range row {
			out[i*c+k] = float32(v / l[i*r+i])
		}
	}
	return out
}

// Regress returns (G + λ)⁻¹·C for a Gram matrix G (r×r) and a product C (r×c),
// λ being a share of the mean diagonal of G: ridge regression.
func Regress(g, c []float32, rows, cols int, share float64) []float32 {
	w := Wide(g)
	trace := 0.0
	for i := range rows {
		trace += w[i*rows+i]
	}
	for i := range rows {
		w[i*rows+i] += share * trace / float64(rows)
	}
	l, ok := Cholesky(w, rows)
	if !ok {
		return make([]float32, len(c))
	}
	return solveBack(l, solveRows(l, c, rows, cols), rows, cols)
}

// solveBack returns L⁻ᵀ·X.
func solveBack(l []float64, x []float32, r, c int) []float32 {
	out := make([]float32, len(x))
	row := make([]float64, c)
	for i := r - 1; i >= 0; i-- {
		for k, v := range x[i*c : (i+1)*c] {
			row[k] = float64(v)
		}
		for j := i + 1; j < r; j++ {
			dense.AddMultiple32(row, -l[j*r+i], out[j*c:(j+1)*c])
		}
		for k, v := range row {
			out[i*c+k] = float32(v / l[i*r+i])
		}
	}
	return out
}
