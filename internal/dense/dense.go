// Package dense multiplies float32 matrices with results that are the same
// bits on every processor, for any number of workers: each product is rounded
// before it is added, and the order of additions depends on the shape alone.
package dense

import (
	"math"
	"runtime"
	"sync"
)

// Dot returns the sum of products from left to right.
func Dot(x, y []float32) float32 {
	y = y[:len(x)]
	var s float32
	for k, v := range x {
		s += float32(v * y[k])
	}
	return s
}

// Dot64 returns the sum of products from left to right.
func Dot64(x, y []float64) (s float64) {
	for k, v := range x {
		s += float64(v * y[k])
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
func Parallel(tasks int, f func(task int)) { ParallelOn(runtime.GOMAXPROCS(0), tasks, f) }

// ParallelOn is Parallel on no more than so many processors, for tasks that
// need much memory each.
func ParallelOn(workers, tasks int, f func(task int)) {
	workers = min(tasks, workers, runtime.GOMAXPROCS(0))
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
	enough := min(exceptions, (len(row)+1)/2)
	first, last, at := 0, 0, 0
	for ; at < len(row) && min(first, last) < enough; at++ {
		v := row[at]
		if v != row[0] {
			first++
		}
		if v != row[len(row)-1] {
			last++
		}
	}
	return min(first, last) >= enough && Finite(row)
}

// Finite tells whether no value is infinite or no number.
func Finite(row []float32) bool {
	const magnitude, infinite = 1<<31 - 1, 0x7f800000
	row = row[finite(row):]
	var a, b, c, d uint32
	for ; len(row) >= 4; row = row[4:] {
		a = max(a, math.Float32bits(row[0])&magnitude)
		b = max(b, math.Float32bits(row[1])&magnitude)
		c = max(c, math.Float32bits(row[2])&magnitude)
		d = max(d, math.Float32bits(row[3])&magnitude)
	}
	for _, v := range row {
		a = max(a, math.Float32bits(v)&magnitude)
	}
	return max(a, b, c, d) < infinite
}
