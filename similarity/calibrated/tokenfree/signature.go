package tokenfree

import (
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
)

// maxForms bounds the quadratic forms that describe a unit.
const maxForms = 9

// forms are symmetric matrices that turn with the residual stream: for each
// view, the mean over layers of Σ x·xᵀ over the layer's unit rows x, each
// divided by its trace; layer by layer where so many are few, 0 for the mean
// whatever their number. dim × dim each.
func forms(layers iter.Seq[*directions], apart int) [][]float32 {
	var all [][][]float32 // by view
	var dim int
	mean := false
	for l := range layers {
		if all == nil {
			all, dim, mean = make([][][]float32, len(l.rows)), l.dim, apart == 0 || apart*len(l.rows) > maxForms
		}
		for v, rows := range l.rows {
			g := basis.ColumnGram(rows, l.units, l.dim)
			unitTrace(g, l.dim)
			if len(all[v]) == 0 || !mean {
				all[v] = append(all[v], g)
			} else {
				dense.Add(all[v][0], g)
			}
		}
	}
	if mean {
		for _, of := range all {
			unitTrace(of[0], dim)
		}
	}
	return slices.Concat(all...)
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
