// Package basis finds and changes the coordinate systems of row-major float32
// matrices: the nearest rotation, the leading directions of a Gram matrix, the
// triangular factor that evens out a covariance. Products run through package
// dense and everything else in float64 with each product rounded, so results
// are the same bits on every processor.
package basis

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// Transpose returns the c×r transpose of an r×c matrix.
func Transpose(a []float32, r, c int) []float32 {
	out := make([]float32, r*c)
	transposeTo(out, a, r, c)
	return out
}

// transposeTo sets out to the c×r transpose of an r×c matrix.
func transposeTo(out, a []float32, r, c int) {
	const tile = 16
	for i0 := 0; i0 < r; i0 += tile {
		for j0 := 0; j0 < c; j0 += tile {
			for i := i0; i < min(i0+tile, r); i++ {
				for j := j0; j < min(j0+tile, c); j++ {
					out[j*r+i] = a[i*c+j]
				}
			}
		}
	}
}

// Mul returns A·B for A (n×d) and B (d×m).
func Mul(a, b []float32, n, d, m int) []float32 {
	out := make([]float32, n*m)
	dense.MulNT(out, a, Transpose(b, d, m), n, m, d)
	return out
}

// ColumnGram returns AᵀA (c×c) of an r×c matrix.
func ColumnGram(a []float32, r, c int) []float32 {
	out := make([]float32, c*c)
	dense.Gram(out, Transpose(a, r, c), c, r)
	return out
}

// Cholesky returns the lower triangular L with L·Lᵀ = S for a symmetric,
// positive definite n×n matrix; ok is false for any other.
func Cholesky(s []float64, n int) (l []float64, ok bool) {
	l = make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			v := s[i*n+j]
			for k := range j {
				v -= float64(l[i*n+k] * l[j*n+k])
			}
			if i != j {
				l[i*n+j] = v / l[j*n+j]
				continue
			}
			if !(v > 0) || math.IsInf(v, 0) {
				return nil, false
			}
			l[i*n+i] = math.Sqrt(v)
		}
	}
	return l, true
}

// Lower is a lower triangular matrix, ready for equations to be solved.
type Lower struct {
	n       int
	columns []float64 // one behind the other
}

// NewLower takes the lower triangle of an n×n matrix.
func NewLower(l []float64, n int) *Lower {
	t := &Lower{n, make([]float64, n*n)}
	for i := range n {
		for k, v := range l[i*n : i*n+i+1] {
			t.columns[k*n+i] = v
		}
	}
	return t
}

// Solve solves L·y = x in place: what an unknown contributes is taken from all later
// ones as soon as it is known, so that each loses its terms in their order.
func (l *Lower) Solve(x []float64) {
	for i := range l.n {
		column := l.columns[i*l.n+i : (i+1)*l.n]
		x[i] /= column[0]
		dense.AddMultiple(x[i+1:l.n], -x[i], column[1:])
	}
}

// Largest returns the largest eigenvalue of a symmetric n×n matrix without
// negative ones, from below, by power iteration.
func Largest(s []float64, n int) float64 {
	x, y := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = 1 + float64(i%7)/8 // orthogonal to no direction that matters
	}
	value := 0.0
	for range 32 {
		var length float64
		clear(y)
		for k, v := range x { // s is symmetric: a row is a column
			dense.AddMultiple(y, v, s[k*n:(k+1)*n])
		}
		for _, v := range y {
			length += float64(v * v)
		}
		value = math.Sqrt(length)
		if !(value > 0) {
			return 0
		}
		for i := range x {
			x[i] = y[i] / value
		}
	}
	return value
}
