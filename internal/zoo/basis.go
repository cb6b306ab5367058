package zoo

import (
	"math"
	"math/rand/v2"
)

// dense is a stored matrix; rows are outputs.
type dense struct {
	v          []float32
	rows, cols int
}

// left puts T·W in place of the rows W that begin at first.
func (x dense) left(first int, t square) {
	if x.v == nil {
		return
	}
	column := make([]float64, t.n)
	for k := range x.cols {
		for i := range column {
			column[i] = float64(x.v[(first+i)*x.cols+k])
		}
		for i, y := range t.apply(column) {
			x.v[(first+i)*x.cols+k] = float32(y)
		}
	}
}

// right puts W·T in place of the columns W that begin at first.
func (x dense) right(first int, t square) {
	if x.v == nil {
		return
	}
	t = t.transposed()
	row := make([]float64, t.n)
	for i := range x.rows {
		at := x.v[i*x.cols+first : i*x.cols+first+t.n]
		for k := range row {
			row[k] = float64(at[k])
		}
		for k, y := range t.apply(row) {
			at[k] = float32(y)
		}
	}
}

// square is an n×n matrix, row after row.
type square struct {
	v []float64
	n int
}

func newSquare(n int) square { return square{make([]float64, n*n), n} }

// apply is T·x.
func (t square) apply(x []float64) []float64 {
	out := make([]float64, t.n)
	for i := range out {
		for k, v := range t.v[i*t.n : (i+1)*t.n] {
			out[i] += v * x[k]
		}
	}
	return out
}

func (t square) mul(o square) square {
	out, columns := newSquare(t.n), o.transposed()
	for j := range t.n {
		for i, v := range t.apply(columns.v[j*t.n : (j+1)*t.n]) {
			out.v[i*t.n+j] = v
		}
	}
	return out
}

func (t square) transposed() square {
	out := newSquare(t.n)
	for i := range t.n {
		for k := range t.n {
			out.v[k*t.n+i] = t.v[i*t.n+k]
		}
	}
	return out
}

// inverted is the inverse of a diagonal matrix.
func (t square) inverted() square {
	return diagonal(t.n, func(k int) float64 { return 1 / t.v[k*t.n+k] })
}

// times is the Kronecker product: every entry of t becomes that multiple of o.
func (t square) times(o square) square {
	out := newSquare(t.n * o.n)
	for i := range out.n {
		for k := range out.n {
			out.v[i*out.n+k] = t.v[i/o.n*t.n+k/o.n] * o.v[i%o.n*o.n+k%o.n]
		}
	}
	return out
}

// blownUp moves blocks of d as t moves single entries.
func (t square) blownUp(d int) square { return t.times(diagonal(d, func(int) float64 { return 1 })) }

func diagonal(n int, f func(k int) float64) square {
	out := newSquare(n)
	for k := range n {
		out.v[k*n+k] = f(k)
	}
	return out
}

func signs(r *rand.Rand, n int) square {
	return diagonal(n, func(int) float64 { return float64(1 - 2*r.IntN(2)) })
}

func permutation(r *rand.Rand, n int) square {
	out := newSquare(n)
	for i, k := range r.Perm(n) {
		out.v[i*n+k] = 1
	}
	return out
}

// orthogonal draws a uniformly random orthogonal matrix: Gaussian rows, each
// made orthogonal to those before it, twice for the sake of rounding (Gram and
// Schmidt).
func orthogonal(r *rand.Rand, n int) square {
	out := square{normal(r, n*n, 1), n}
	for i := range n {
		row := out.v[i*n : (i+1)*n]
		for range 2 {
			for j := range i {
				other := out.v[j*n : (j+1)*n]
				c := inner(row, other)
				for k := range row {
					row[k] -= c * other[k]
				}
			}
		}
		length := math.Sqrt(inner(row, row))
		for k := range row {
			row[k] /= length
		}
	}
	return out
}

func inner(x, y []float64) (sum float64) {
	for k, v := range x {
		sum += v * y[k]
	}
	return sum
}

// planes turns and scales the planes (p, p+d/2) of a head: keys by the first
// result, queries by the second, which leaves their products as they are.
func planes(r *rand.Rand, d int) (keys, queries square) {
	keys, queries = newSquare(d), newSquare(d)
	for p := range d / 2 {
		sin, cos := math.Sincos(2 * math.Pi * r.Float64())
		scale := math.Exp(0.5 * r.NormFloat64())
		for _, x := range []struct {
			to square
			by float64
		}{{keys, scale}, {queries, 1 / scale}} {
			q := p + d/2
			x.to.v[p*d+p], x.to.v[p*d+q] = x.by*cos, -x.by*sin
			x.to.v[q*d+p], x.to.v[q*d+q] = x.by*sin, x.by*cos
		}
	}
	return keys, queries
}
