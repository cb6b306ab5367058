package tokenfree

import (
	"math"
	"sync"

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
			dense.Add(sum, g)
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
// change or trade of scale alters: for every view x and form M
// the logarithms of xᵀMx and |Mx|²; for every two views x and y the cosines
// xᵀy and xᵀMy, by size where their signs are free; and the lengths, of views
// whose scale may be traded as a product.
func signatures(d *directions, forms [][]float32) *signature {
	var columns [][]float64
	add := func(c []float64) { columns = append(columns, c) }
	d.addLengths(add)
	d.addCosines(add, d.rows)
	for _, m := range forms {
		through := make([][]float32, len(d.rows))
		for v, rows := range d.rows {
			t := make([]float32, len(rows))
			dense.MulNT(t, rows, m, d.units, d.dim, d.dim) // m is symmetric
			through[v] = t
			add(logarithms(d.dots(rows, t)))
			add(logarithms(d.dots(t, t)))
		}
		d.addCosines(add, through)
	}
	s := &signature{units: d.units, count: len(columns)}
	s.values = make([]float32, s.units*s.count)
	for k, c := range columns {
		standardise(c)
		for u, x := range c {
			s.values[u*s.count+k] = float32(x)
		}
	}
	return s
}

// signature holds what describes the units of a layer.
type signature struct {
	units, count int
	values       []float32 // units × count

	once sync.Once
	sums [][]float64 // see products
}

// addLengths adds the lengths of views that keep their sign, and the product
// of the lengths of those that do not: a gated unit may trade scale between
// its up row and its down column.
func (d *directions) addLengths(add func([]float64)) {
	var traded []float64
	for v, length := range d.length {
		c := logarithms(length)
		switch {
		case !d.odd[v] || v < d.first:
			add(c)
		case traded == nil:
			traded = c
		default:
			for u, x := range c {
				traded[u] += x
			}
		}
	}
	if traded != nil {
		add(traded)
	}
}

// addCosines adds the products of every two views with the images of the
// others, by size where only one of the two changes sign with the unit.
func (d *directions) addCosines(add func([]float64), images [][]float32) {
	for v := range d.rows {
		for w := range v {
			c := d.dots(d.rows[w], images[v])
			if d.free(v, w) {
				c = sizes(c)
			}
			add(c)
		}
	}
}

// dots are the products of each unit's rows.
func (d *directions) dots(x, y []float32) []float64 {
	return basis.Wide(dense.Dots(x, y, d.units, d.dim))
}

// sizes are those of each value, in its place.
func sizes(x []float64) []float64 {
	for i, v := range x {
		x[i] = math.Abs(v)
	}
	return x
}

// logarithms are those of each value, in its place.
func logarithms(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = logarithm(v)
	}
	return out
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

// flattened brings the signatures of both sides to coordinates in which their common
// covariance is even, and their rows to unit length.
func flattened(a, b *signature) (ea, eb []float32, ok bool) {
	if a.count != b.count {
		return nil, nil, false
	}
	lower, ok := covariance(a, b)
	if !ok {
		return nil, nil, false
	}
	return a.through(lower), b.through(lower), true
}

// covariance is the Cholesky factor of the covariance of signatures of all units, lifted
// by the ridge.
func covariance(of ...*signature) (lower *basis.Lower, ok bool) {
	count, units := of[0].count, 0
	s := make([]float64, count*count)
	for _, x := range of {
		units += x.units
		for i, row := range x.products() {
			for j, v := range row {
				s[i*count+j] += v
			}
		}
	}
	for i := range count {
		for j := range i + 1 {
			s[i*count+j] /= float64(units)
			s[j*count+i] = s[i*count+j]
		}
	}
	lift := ridge * basis.Largest(s, count)
	for i := range count {
		s[i*count+i] += lift
	}
	l, ok := basis.Cholesky(s, count)
	if !ok {
		return nil, false
	}
	return basis.NewLower(l, count), true
}

// products are the sums over units of the products of every two of their numbers, the
// lower triangle by rows.
func (s *signature) products() [][]float64 {
	s.once.Do(func() {
		s.sums = make([][]float64, s.count)
		for i := range s.sums {
			s.sums[i] = make([]float64, i+1)
		}
		for x := s.values; len(x) > 0; x = x[s.count:] {
			for i, v := range x[:s.count] {
				dense.AddMultiple32(s.sums[i], float64(v), x[:i+1])
			}
		}
	})
	return s.sums
}

// through are the signatures in the coordinates of a triangular matrix, their rows
// brought to unit length.
func (s *signature) through(l *basis.Lower) []float32 {
	out := make([]float32, len(s.values))
	row := make([]float64, s.count)
	for first := 0; first < len(out); first += s.count {
		for k, v := range s.values[first : first+s.count] {
			row[k] = float64(v)
		}
		l.Solve(row)
		for k, v := range row {
			out[first+k] = float32(v)
		}
	}
	normalise(out, s.units, s.count)
	return out
}
