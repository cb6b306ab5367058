package tokenfree

import "github.com/weightprint/weightprint/internal/basis"

// described are the signatures of some units (units × count) and their products,
// summed over the units (count × count, the lower half).
type described struct {
	rows     []float32
	count    int
	products []float64
}

func describe(d *directions, forms [][]float32) described {
	return productsOf(signatures(d, forms))
}

func productsOf(rows []float32, count int) described {
	s := make([]float64, count*count)
	for first := 0; first < len(rows); first += count {
		row := rows[first : first+count]
		for i, v := range row {
			to := s[i*count : i*count+i+1]
			for j, w := range row[:i+1] {
				to[j] += float64(float64(v) * float64(w))
			}
		}
	}
	return described{rows, count, s}
}

// units is how many there are.
func (d described) units() int { return len(d.rows) / max(1, d.count) }

// ridge is the share of the largest eigenvalue that is added to the covariance
// of signatures before its spectrum is flattened.
const ridge = 0.01

// evening returns the factor that brings the signatures of both sides to coordinates
// in which their common covariance is even.
func evening(a, b described) (factor []float64, ok bool) {
	n := a.count
	if n != b.count {
		return nil, false
	}
	s, all := make([]float64, n*n), float64(a.units()+b.units())
	for i := range n {
		for j := range i + 1 {
			s[i*n+j] = (a.products[i*n+j] + b.products[i*n+j]) / all
			s[j*n+i] = s[i*n+j]
		}
	}
	lift := ridge * basis.Largest(s, n)
	for i := range n {
		s[i*n+i] += lift
	}
	return basis.Cholesky(s, n)
}

// evened are rows of signatures in even coordinates, at unit length. Each is brought
// there when it is first asked for: most of those of strangers never are.
type evened struct {
	described
	factor []float64
	even   []float32
	done   []bool // by blocks of rows
}

// evenBlock is how many rows are brought to even coordinates at a time.
const evenBlock = 16

func newEvened(d described, factor []float64) *evened {
	return &evened{described: d, factor: factor, even: make([]float32, len(d.rows)), done: make([]bool, (d.units()+evenBlock-1)/evenBlock)}
}

// block returns the rows of a block.
func (e *evened) block(k int) []float32 {
	from, to := k*evenBlock*e.count, min((k+1)*evenBlock*e.count, len(e.rows))
	if !e.done[k] {
		e.done[k] = true
		forwardInto(e.even[from:to], e.factor, e.rows[from:to], e.count)
	}
	return e.even[from:to:to]
}

// row returns one row.
func (e *evened) row(i int) []float32 {
	return e.block(i / evenBlock)[i%evenBlock*e.count:][:e.count]
}

// all returns all rows.
func (e *evened) all() []float32 {
	for k := range e.done {
		e.block(k)
	}
	return e.even
}

// covariance is the factor that evening gives for the signatures of one side alone.
func covariance(rows []float32, count int) (factor []float64, ok bool) {
	return evening(productsOf(rows, count), productsOf(nil, count))
}

// forwardRows solves for the rows of x (n × count) and brings them to unit length.
func forwardRows(l []float64, x []float32, count int) []float32 {
	out := make([]float32, len(x))
	forwardInto(out, l, x, count)
	return out
}

func forwardInto(out []float32, l []float64, x []float32, count int) {
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
}
