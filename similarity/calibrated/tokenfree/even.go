package tokenfree

import (
	"slices"
	"sync"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
)

// ridge is the share of the largest eigenvalue that is added to the covariance
// of signatures before its spectrum is flattened.
const ridge = 0.01

// flattened brings the signatures of both sides to coordinates in which their common
// covariance is even, and their rows to unit length.
func flattened(a, b *signature) (ea, eb []float32, ok bool) {
	xa, xb, ok := evenedTogether(a, b)
	if !ok {
		return nil, nil, false
	}
	return xa.all(), xb.all(), true
}

// evenedTogether is the same, of rows that are not asked for yet.
func evenedTogether(a, b *signature) (ea, eb *evened, ok bool) {
	if a.count != b.count {
		return nil, nil, false
	}
	lower, ok := covariance(a, b)
	if !ok {
		return nil, nil, false
	}
	return newEvened(a, lower), newEvened(b, lower), true
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

// evened are the rows of signatures in the coordinates of a triangular matrix, at unit
// length. Each is brought there when it is first asked for: most of those of strangers
// never are.
type evened struct {
	*signature
	by   *basis.Lower
	rows []float32
	done []bool    // by blocks of rows
	room []float64 // for one row
}

// evenBlock is how many rows are brought there at a time.
const evenBlock = 16

func newEvened(s *signature, by *basis.Lower) *evened {
	room := evenRows.Get().(*[]float32)
	rows := slices.Grow((*room)[:0], len(s.values))[:len(s.values)]
	return &evened{s, by, rows, make([]bool, (s.units+evenBlock-1)/evenBlock), make([]float64, s.count)}
}

// evenRows keeps the room of those that are compared by thousands.
var evenRows = sync.Pool{New: func() any { return new([]float32) }}

// release gives the room of rows back that nobody looks at any more.
func (e *evened) release() { evenRows.Put(&e.rows) }

// block returns the rows of a block.
func (e *evened) block(k int) []float32 {
	from, to := k*evenBlock*e.count, min((k+1)*evenBlock*e.count, len(e.values))
	out := e.rows[from:to:to]
	if e.done[k] {
		return out
	}
	e.done[k] = true
	row := e.room
	for first := 0; first < len(out); first += e.count {
		for k, v := range e.values[from+first:][:e.count] {
			row[k] = float64(v)
		}
		e.by.Solve(row)
		for k, v := range row {
			out[first+k] = float32(v)
		}
	}
	var lengths [evenBlock]float64
	n := len(out) / max(1, e.count)
	normaliseInto(lengths[:n], out, n, e.count)
	return out
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
	return e.rows
}

// through are the signatures in the coordinates of a triangular matrix, their rows
// brought to unit length.
func (s *signature) through(l *basis.Lower) []float32 { return newEvened(s, l).all() }
