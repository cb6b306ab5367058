package tokenfree

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
)

// maxForms bounds the quadratic forms that describe a unit.
const maxForms = 9

// forms are symmetric matrices that turn with the residual stream: for each
// view, the mean over layers of Σ x·xᵀ over the layer's unit rows x, each
// divided by its trace; layer by layer where these are few and apart is set.
// dim × dim each.
func forms(layers []*directions, apart bool) [][]float32 {
	views := len(layers[0].rows)
	var out [][]float32
	for v := range views {
		var sum []float32
		for _, l := range layers {
			g := basis.ColumnGram(l.rows[v], l.units, l.dim)
			unitTrace(g, l.dim)
			if apart && len(layers)*views <= maxForms {
				out = append(out, g)
				continue
			}
			if sum == nil {
				sum = make([]float32, len(g))
			}
			for i, x := range g {
				sum[i] += x
			}
		}
		if sum != nil {
			unitTrace(sum, layers[0].dim)
			out = append(out, sum)
		}
	}
	return out
}

// unitTrace divides a matrix by its trace and multiplies it by its size, so
// that its eigenvalues are one in the mean.
func unitTrace(m []float32, n int) {
	trace := 0.0
	for i := range n {
		trace += float64(m[i*n+i])
	}
	if !(trace > 0) {
		return
	}
	for i, v := range m {
		m[i] = float32(float64(v) * float64(n) / trace)
	}
}

// signatures describe each unit by numbers that no rotation, permutation, sign
// change or trade of scale alters (units × count): for every view x and form M
// the logarithms of xᵀMx and |Mx|²; for every two views x and y the cosines
// xᵀy and xᵀMy, by size where their signs are free; and the lengths, of views
// whose scale may be traded as a product.
func signatures(d *directions, forms [][]float32) (out []float32, count int) {
	var columns [][]float64
	add := func(f func(u int) float64) {
		c := make([]float64, d.units)
		for u := range c {
			c[u] = f(u)
		}
		columns = append(columns, c)
	}
	d.addLengths(add)
	d.addCosines(add, d.rows)
	for _, m := range forms {
		through := make([][]float32, len(d.rows))
		for v, rows := range d.rows {
			t := make([]float32, len(rows))
			dense.MulNT(t, rows, m, d.units, d.dim, d.dim) // m is symmetric
			through[v] = t
			add(func(u int) float64 { return logarithm(d.dot(rows, t, u)) })
			add(func(u int) float64 { return logarithm(d.dot(t, t, u)) })
		}
		d.addCosines(add, through)
	}
	count = len(columns)
	out = make([]float32, d.units*count)
	for k, c := range columns {
		standardise(c)
		for u, x := range c {
			out[u*count+k] = float32(x)
		}
	}
	return out, count
}

// addLengths adds the lengths of views that keep their sign, and the product
// of the lengths of those that do not: a gated unit may trade scale between
// its up row and its down column.
func (d *directions) addLengths(add func(func(u int) float64)) {
	traded := false
	for v, length := range d.length {
		if d.odd[v] && v >= d.first {
			traded = true
			continue
		}
		add(func(u int) float64 { return logarithm(length[u]) })
	}
	if traded {
		add(func(u int) float64 {
			sum := 0.0
			for v, odd := range d.odd {
				if odd && v >= d.first {
					sum += logarithm(d.length[v][u])
				}
			}
			return sum
		})
	}
}

// addCosines adds the products of every two views with the images of the
// others, by size where only one of the two changes sign with the unit.
func (d *directions) addCosines(add func(func(u int) float64), images [][]float32) {
	for v := range d.rows {
		for w := range v {
			free := d.free(v, w)
			add(func(u int) float64 {
				x := d.dot(d.rows[w], images[v], u)
				if free {
					x = math.Abs(x)
				}
				return x
			})
		}
	}
}

// dot is the product of one unit's rows.
func (d *directions) dot(x, y []float32, u int) float64 {
	return float64(dense.Dot(x[u*d.dim:(u+1)*d.dim], y[u*d.dim:(u+1)*d.dim]))
}

// logarithm is the logarithm of a size, kept from running away at zero.
func logarithm(x float64) float64 { return math.Log(max(x, 1e-12)) }

// standardise brings values to mean zero and deviation one, and those beyond
// six deviations to six.
func standardise(x []float64) {
	by := spread(x)
	for i, v := range x {
		x[i] = max(-6, min(6, (v-by[0])/by[1]))
	}
}

// spread is the mean of values and their deviation, infinite where they do not differ.
func spread(x []float64) []float64 {
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		square += float64((v - mean) * (v - mean))
	}
	deviation := math.Sqrt(square / float64(len(x)))
	if !(deviation > 0) {
		deviation = math.Inf(1)
	}
	return []float64{mean, deviation}
}

// ridge is the share of the largest eigenvalue that is added to the covariance
// of signatures before its spectrum is flattened.
const ridge = 0.01

// flattened brings the signatures of both sides (rows × count) to coordinates in
// which their common covariance is even, and their rows to unit length.
func flattened(a, b []float32, count int) (ea, eb []float32, ok bool) {
	l, ok := covariance(slices.Concat(a, b), count)
	if !ok {
		return nil, nil, false
	}
	return forwardRows(l, a, count), forwardRows(l, b, count), true
}

// covariance is the Cholesky factor of the covariance of signatures (rows × count),
// lifted by the ridge.
func covariance(rows []float32, count int) (lower []float64, ok bool) {
	s := make([]float64, count*count)
	n := float64(len(rows) / count)
	for first := 0; first < len(rows); first += count {
		row := rows[first : first+count]
		for i, v := range row {
			for j, w := range row[:i+1] {
				s[i*count+j] += float64(float64(v)*float64(w)) / n
			}
		}
	}
	for i := range count {
		for j := range i {
			s[j*count+i] = s[i*count+j]
		}
	}
	lift := ridge * basis.Largest(s, count)
	for i := range count {
		s[i*count+i] += lift
	}
	return basis.Cholesky(s, count)
}

func forwardRows(l []float64, x []float32, count int) []float32 {
	out := make([]float32, len(x))
	row := make([]float64, count)
	for first := 0; first < len(x); first += count {
		for k, v := range x[first : first+count] {
			row[k] = float64(v)
		}
		basis.Forward(l, count, row)
		for k, v := range row {
			out[first+k] = float32(v)
		}
	}
	normalise(out, len(x)/count, count)
	return out
}
