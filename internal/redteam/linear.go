package redteam

import (
	"math"
	"math/rand/v2"
)

// RecoverLinear attacks k real numbers ⟨Aⱼ, W⟩ with Gaussian Aⱼ, more than any
// sketch publishes: alternating least squares for a rank-one edit, from
// several starts, keeping the one that explains the numbers best.
func (e *Edit) RecoverLinear(k int) []float64 {
	r := rand.New(rand.NewPCG(uint64(k), 3))
	measure := make([][]float64, k)
	b := make([]float64, k)
	for j := range measure {
		measure[j] = normal(r, e.Rows*e.Cols, 1)
		b[j] = dot(measure[j], e.Delta)
	}
	var best []float64
	least := math.Inf(1)
	for range 4 {
		v := normal(r, e.Cols, 1)
		var found []float64
		left := math.Inf(1)
		for range 40 {
			u := e.half(measure, b, v, true)
			v = e.half(measure, b, u, false)
			found = outer(u, v)
			was := left
			left = unexplained(measure, b, found)
			if left > was*(1-1e-6) || left < 1e-14*dot(b, b) {
				break
			}
		}
		if left < least {
			best, least = found, left
		}
	}
	return best
}

// unexplained is the sum of squares that an estimate leaves of the numbers.
func unexplained(measure [][]float64, b, found []float64) float64 {
	left := 0.0
	for j := range b {
		d := dot(measure[j], found) - b[j]
		left += d * d
	}
	return left
}

// half solves for one factor with the other given.
func (e *Edit) half(measure [][]float64, b, given []float64, rows bool) []float64 {
	n := e.Rows
	if !rows {
		n = e.Cols
	}
	m := make([][]float64, len(b))
	for j, a := range measure {
		m[j] = make([]float64, n)
		for i := range e.Rows {
			for c := range e.Cols {
				if rows {
					m[j][i] += a[i*e.Cols+c] * given[c]
				} else {
					m[j][c] += a[i*e.Cols+c] * given[i]
				}
			}
		}
	}
	return leastSquares(m, b, n)
}

// leastSquares minimises |Mx−b| from zero by conjugate gradients on the normal
// equations: of many solutions the shortest.
func leastSquares(m [][]float64, b []float64, n int) []float64 {
	x := make([]float64, n)
	left := append([]float64{}, b...)
	r := transposed(m, left, n)
	p := append([]float64{}, r...)
	old := dot(r, r)
	enough := 1e-20 * old
	for range 2 * n {
		if old <= enough {
			break
		}
		q := make([]float64, len(m))
		for j := range m {
			q[j] = dot(m[j], p)
		}
		step := old / dot(q, q)
		for i := range x {
			x[i] += step * p[i]
		}
		for j := range left {
			left[j] -= step * q[j]
		}
		r = transposed(m, left, n)
		now := dot(r, r)
		for i := range p {
			p[i] = r[i] + now/old*p[i]
		}
		old = now
	}
	return x
}

func transposed(m [][]float64, v []float64, n int) []float64 {
	out := make([]float64, n)
	for j, row := range m {
		for i, x := range row {
			out[i] += x * v[j]
		}
	}
	return out
}
