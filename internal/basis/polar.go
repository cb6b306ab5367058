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
	w := &iteration{r: r, c: c, x: scaled(m, r), turned: make([]float32, r*c), gram: make([]float32, r*r), by: make([]float32, r*r)}
	for range lifts {
		w.step(quintic)
	}
	for range polishes {
		w.step([3]float32{1.5, -0.5, 0})
	}
	return w.x
}

// iteration holds X (r×c) and the room that its steps take.
type iteration struct {
	r, c     int
	x        []float32
	turned   []float32 // X transposed
	gram, by []float32 // r×r
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

// step sets X to (a + b·XXᵀ + c·(XXᵀ)²)·X.
func (w *iteration) step(by [3]float32) {
	dense.Gram(w.gram, w.x, w.r, w.c)
	if by[2] != 0 {
		dense.Gram(w.by, w.gram, w.r, w.r) // symmetric: its product with its transpose is its square
	} else {
		clear(w.by)
	}
	for i, v := range w.gram {
		w.by[i] = float32(by[1]*v) + float32(by[2]*w.by[i])
	}
	for i := range w.r {
		w.by[i*w.r+i] += by[0]
	}
	transposeTo(w.turned, w.x, w.r, w.c)
	dense.MulNT(w.x, w.by, w.turned, w.r, w.c, w.r)
}

// Wide converts to float64.
func Wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
