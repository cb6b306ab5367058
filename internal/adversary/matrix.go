package adversary

import (
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/internal/linalg"
)

// Matrix is R×C values, row after row. Rows are outputs where it is a weight.
type Matrix struct {
	R, C int
	V    []float64
}

// NewMatrix returns zeros.
func NewMatrix(r, c int) *Matrix { return &Matrix{r, c, make([]float64, r*c)} }

// Row is a view of row i.
func (m *Matrix) Row(i int) []float64 { return m.V[i*m.C : (i+1)*m.C] }

// Clone copies the values.
func (m *Matrix) Clone() *Matrix {
	return &Matrix{m.R, m.C, append([]float64(nil), m.V...)}
}

// mul is A·B, mulT is A·Bᵀ, tMul is Aᵀ·B.
func mul(a, b *Matrix) *Matrix {
	return &Matrix{a.R, b.C, linalg.Product(a.V, a.R, a.C, false, b.V, b.R, b.C, false)}
}

func mulT(a, b *Matrix) *Matrix {
	return &Matrix{a.R, b.R, linalg.Product(a.V, a.R, a.C, false, b.V, b.R, b.C, true)}
}

func tMul(a, b *Matrix) *Matrix {
	return &Matrix{a.C, b.C, linalg.Product(a.V, a.R, a.C, true, b.V, b.R, b.C, false)}
}

func (m *Matrix) transposed() *Matrix {
	out := NewMatrix(m.C, m.R)
	for i := range m.R {
		for k, v := range m.Row(i) {
			out.V[k*m.R+i] = v
		}
	}
	return out
}

// plus adds x times o in place.
func (m *Matrix) plus(o *Matrix, x float64) *Matrix {
	for i, v := range o.V {
		m.V[i] += x * v
	}
	return m
}

// each replaces every value.
func (m *Matrix) each(f func(i, k int, v float64) float64) *Matrix {
	for i := range m.R {
		row := m.Row(i)
		for k, v := range row {
			row[k] = f(i, k, v)
		}
	}
	return m
}

// columns multiplies every column by its factor.
func (m *Matrix) columns(by []float64) *Matrix {
	return m.each(func(_, k int, v float64) float64 { return v * by[k] })
}

// pickRows lists the rows at the given places.
func (m *Matrix) pickRows(at []int) *Matrix {
	out := NewMatrix(len(at), m.C)
	for i, j := range at {
		copy(out.Row(i), m.Row(j))
	}
	return out
}

// pickColumns lists the columns at the given places.
func (m *Matrix) pickColumns(at []int) *Matrix {
	out := NewMatrix(m.R, len(at))
	return out.each(func(i, k int, _ float64) float64 { return m.V[i*m.C+at[k]] })
}

// stack puts matrices of one width under each other.
func stack(all ...*Matrix) *Matrix {
	out := &Matrix{C: all[0].C}
	for _, m := range all {
		out.R += m.R
		out.V = append(out.V, m.V...)
	}
	return out
}

// beside puts matrices of one height side by side.
func beside(all ...*Matrix) *Matrix {
	out := &Matrix{R: all[0].R}
	for _, m := range all {
		out.C += m.C
	}
	for i := range out.R {
		for _, m := range all {
			out.V = append(out.V, m.Row(i)...)
		}
	}
	return out
}

func scaled(m *Matrix, x float64) *Matrix {
	return m.Clone().each(func(_, _ int, v float64) float64 { return x * v })
}

// unitRows divides every row by its length, after taking the mean row off where
// centre is set.
func unitRows(m *Matrix, centre bool) *Matrix {
	out := m.Clone()
	if centre {
		mean := make([]float64, m.C)
		for i := range m.R {
			for k, v := range m.Row(i) {
				mean[k] += v / float64(m.R)
			}
		}
		out.each(func(_, k int, v float64) float64 { return v - mean[k] })
	}
	for i := range out.R {
		row := out.Row(i)
		if n := length(row); n > 0 {
			for k := range row {
				row[k] /= n
			}
		}
	}
	return out
}

func dot(x, y []float64) (sum float64) {
	for k, v := range x {
		sum += v * y[k]
	}
	return sum
}

func length(x []float64) float64 { return math.Sqrt(dot(x, x)) }

// size is the root of the mean square of the values.
func (m *Matrix) size() float64 { return length(m.V) / math.Sqrt(float64(max(1, len(m.V)))) }

func gaussian(r *rand.Rand, rows, cols int, sd float64) *Matrix {
	return NewMatrix(rows, cols).each(func(int, int, float64) float64 { return sd * r.NormFloat64() })
}

// orthogonal draws a uniformly random rotation or reflection.
func orthogonal(r *rand.Rand, n int) *Matrix { return polar(gaussian(r, n, n, 1)) }

// polar is the orthogonal matrix nearest to m. A zero or broken matrix gives the
// identity: nothing is aimed at.
func polar(m *Matrix) *Matrix {
	v, err := linalg.Polar(m.V, m.R)
	if err != nil {
		return identity(m.R)
	}
	return &Matrix{m.R, m.R, v}
}

func identity(n int) *Matrix {
	return NewMatrix(n, n).each(func(i, k int, _ float64) float64 {
		if i == k {
			return 1
		}
		return 0
	})
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

func span(first, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = first + i
	}
	return out
}

// spectrum lists the eigenvalues of a symmetric matrix, ascending, and the vectors
// as columns.
func spectrum(m *Matrix) (values []float64, vectors *Matrix) {
	v, q, err := linalg.SymEigen(m.V, m.R)
	if err != nil {
		return ones(m.R), identity(m.R)
	}
	return v, &Matrix{m.R, m.R, q}
}
