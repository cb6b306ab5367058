package basis

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// quintic are the coefficients of the polynomial a·x + b·x³ + c·x⁵ that lifts
// small singular values fastest while it keeps those near one near one
// (K. Jordan, "Muon", 2024).
var quintic = [3]float32{3.4445, -4.7750, 2.0315}

// lifts and polishes are how many quintic and cubic steps Polar takes: enough
// for singular values down to a thousandth of the largest.
const lifts, polishes = 7, 6

// Polar returns the r×c matrix nearest to M among those whose rows or columns,
// whichever are fewer, are orthonormal: U·Vᵀ of M = U·Σ·Vᵀ, which solves the
// orthogonal Procrustes problem (Schönemann, Psychometrika 1966). It is found
// by Newton–Schulz iteration (Higham, Functions of Matrices, 2008, ch. 8):
// products only. Directions that M does not know stay near zero.
func Polar(m []float32, r, c int) []float32 {
	if r > c {
		return Transpose(Polar(Transpose(m, r, c), c, r), c, r)
	}
	x := scaled(m, r)
	for range lifts {
		x = step(x, r, c, quintic)
	}
	for range polishes {
		x = step(x, r, c, [3]float32{1.5, -0.5, 0})
	}
	return x
}

// scaled divides a matrix of r rows by its largest singular value.
func scaled(m []float32, r int) []float32 {
	out := make([]float32, len(m))
	size := dense.Norm(m)
	if !(size > 0) || math.IsInf(size, 0) {
		return out
	}
	for i, v := range m {
		out[i] = float32(float64(v) / size)
	}
	g := make([]float32, r*r)
	dense.Gram(g, out, r, len(m)/r)
	top := math.Sqrt(Largest(Wide(g), r)) * 1.01
	for i, v := range out {
		out[i] = float32(float64(v) / top)
	}
	return out
}

// step returns (a + b·XXᵀ + c·(XXᵀ)²)·X.
func step(x []float32, r, c int, by [3]float32) []float32 {
	g := make([]float32, r*r)
	dense.Gram(g, x, r, c)
	p := make([]float32, r*r)
	if by[2] != 0 {
		dense.Gram(p, g, r, r) // g is symmetric: g·gᵀ is its square
	}
	for i, v := range g {
		p[i] = float32(by[1]*v) + float32(by[2]*p[i])
	}
	for i := range r {
		p[i*r+i] += by[0]
	}
	return Mul(p, x, r, r, c)
}

// Wide converts to float64.
func Wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
