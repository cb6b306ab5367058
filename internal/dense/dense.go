// Package dense multiplies float32 matrices with results that are the same
// bits on every processor, for any number of workers: each product is rounded
// before it is added, and the order of additions depends on the shape alone.
package dense

import (
	"math"
	"runtime"
	"sync"
)

// MulNT sets dst = A·Bᵀ for row-major A (n×d) and B (m×d); dst is n×m.
func MulNT(dst, a, b []float32, n, m, d int) {
	if n == 0 || m == 0 {
		return
	}
	const rowsPerTask = 16
	Parallel((n+rowsPerTask-1)/rowsPerTask, func(task int) {
		first := task * rowsPerTask
		last := min(first+rowsPerTask, n)
		SerialNT(dst[first*m:last*m], a[first*d:last*d], b, last-first, m, d)
	})
}

// Gram sets dst = A·Aᵀ for row-major A (n×d), as MulNT would, bit for bit, at
// half the work: the lower half is copied from the upper.
func Gram(dst, a []float32, n, d int) {
	const rowsPerTask = 16
	Parallel((n+rowsPerTask-1)/rowsPerTask, func(task int) {
		first := task * rowsPerTask
		last := min(first+rowsPerTask, n)
		part := make([]float32, (last-first)*(n-first))
		SerialNT(part, a[first*d:last*d], a[first*d:], last-first, n-first, d)
		for i := first; i < last; i++ {
			copy(dst[i*n+first:(i+1)*n], part[(i-first)*(n-first):])
		}
	})
	for i := range n {
		for j := range i {
			dst[i*n+j] = dst[j*n+i]
		}
	}
}

// SerialNT is MulNT on the caller's processor alone. It works in tiles of 2×4 results so that each loaded value serves
// several products; every result still sums over d from left to right, and
// so has the same bits whichever tile it falls into.
func SerialNT(dst, a, b []float32, n, m, d int) {
	i := 0
	for ; i+2 <= n; i += 2 {
		a0, a1 := a[i*d:(i+1)*d], a[(i+1)*d:(i+2)*d]
		j := 0
		for ; j+4 <= m; j += 4 {
			b0, b1, b2, b3 := b[j*d:(j+1)*d], b[(j+1)*d:(j+2)*d], b[(j+2)*d:(j+3)*d], b[(j+3)*d:(j+4)*d]
			a1 := a1[:len(a0)]
			b0, b1, b2, b3 = b0[:len(a0)], b1[:len(a0)], b2[:len(a0)], b3[:len(a0)]
			var s00, s01, s02, s03, s10, s11, s12, s13 float32
			for k, x := range a0 {
				y, p, q, r, t := a1[k], b0[k], b1[k], b2[k], b3[k]
				s00 += float32(x * p)
				s01 += float32(x * q)
				s02 += float32(x * r)
				s03 += float32(x * t)
				s10 += float32(y * p)
				s11 += float32(y * q)
				s12 += float32(y * r)
				s13 += float32(y * t)
			}
			dst[i*m+j], dst[i*m+j+1], dst[i*m+j+2], dst[i*m+j+3] = s00, s01, s02, s03
			dst[(i+1)*m+j], dst[(i+1)*m+j+1], dst[(i+1)*m+j+2], dst[(i+1)*m+j+3] = s10, s11, s12, s13
		}
		for ; j < m; j++ {
			dst[i*m+j] = Dot(a0, b[j*d:(j+1)*d])
			dst[(i+1)*m+j] = Dot(a1, b[j*d:(j+1)*d])
		}
	}
	for ; i < n; i++ {
		for j := range m {
			dst[i*m+j] = Dot(a[i*d:(i+1)*d], b[j*d:(j+1)*d])
		}
	}
}

// Dot returns the sum of products from left to right.
func Dot(x, y []float32) float32 {
	y = y[:len(x)]
	var s float32
	for k, v := range x {
		s += float32(v * y[k])
	}
	return s
}

// Norm returns the Euclidean length, summed in float64.
func Norm(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(float64(v) * float64(v))
	}
	return math.Sqrt(s)
}

// Parallel runs f(0) … f(tasks-1) on all processors and waits. The tasks
// write apart from one another.
func Parallel(tasks int, f func(task int)) {
	workers := min(tasks, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for t := range tasks {
			f(t)
		}
		return
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := range next {
				f(t)
			}
		})
	}
	for t := range tasks {
		next <- t
	}
	close(next)
	wg.Wait()
}

// Varies tells whether a row is finite and more than a constant with a few
// exceptions: rows of an identity or a selection are alike in every network
// that has one.
func Varies(row []float32) bool {
	const exceptions = 8
	first, last := 0, 0
	for _, v := range row {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
		if v != row[0] {
			first++
		}
		if v != row[len(row)-1] {
			last++
		}
	}
	return min(first, last) >= min(exceptions, (len(row)+1)/2)
}
