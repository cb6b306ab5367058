//go:build !purego

package dense

import "github.com/weightprint/weightprint/internal/simd"

// Each does as many values from the first on as a processor with AVX2 takes four at a
// time, and tells how many.

// finite counts values that are known to be finite: all but the last few, or none where
// one of these is not.
func finite(row []float32) int {
	n := len(row) &^ 15
	if !simd.AVX2 || n == 0 || notFiniteAVX2(&row[0], n) {
		return 0
	}
	return n
}

// notFiniteAVX2 tells whether one of n values, n > 0 a multiple of sixteen, is infinite or
// no number.
//
//go:noescape
func notFiniteAVX2(row *float32, n int) bool

func add(to, more []float32) int { return addMasked(to, more, 1<<32-1) }

func addSizes(to, more []float32) int { return addMasked(to, more, 1<<31-1) }

func addMasked(to, more []float32, mask uint32) int {
	if n := len(more) &^ 7; simd.AVX2 && n > 0 {
		addMaskedAVX2(&to[0], &more[0], n, mask)
		return n
	}
	return 0
}

func addMultiple(sums []float64, by float64, row []float64) int {
	n := fours(len(row))
	if n > 0 {
		addMultipleAVX2(&sums[0], &row[0], n, by)
	}
	return n
}

func addMultiple32(sums []float64, by float64, row []float32) int {
	n := fours(len(row))
	if n > 0 {
		addMultiple32AVX2(&sums[0], &row[0], n, by)
	}
	return n
}

func addTo(sums []float64, row []float32) int {
	n := fours(len(row))
	if n > 0 {
		addToAVX2(&sums[0], &row[0], n)
	}
	return n
}

func addSquares(sums, means []float64, row []float32) int {
	n := fours(len(row))
	if n > 0 {
		addSquaresAVX2(&sums[0], &means[0], &row[0], n)
	}
	return n
}

func scale(to, row []float32, means, by []float64) int {
	n := fours(len(row))
	if n > 0 {
		scaleAVX2(&to[0], &row[0], &means[0], &by[0], n)
	}
	return n
}

func shift(row []float32, mean, by float64) int {
	n := fours(len(row))
	if n > 0 {
		shiftAVX2(&row[0], n, mean, by)
	}
	return n
}

func multiply(row, by []float32) int {
	if n := len(row) &^ 7; simd.AVX2 && n > 0 {
		multiplyAVX2(&row[0], &by[0], n)
		return n
	}
	return 0
}

func lanes(s *[4]float64, x, y []float64) int {
	n := fours(len(x))
	if n > 0 {
		lanesAVX2(s, &x[0], &y[0], n)
	}
	return n
}

func sums(s, q *[4]float64, row []float32) int {
	n := fours(len(row))
	if n > 0 {
		sumsAVX2(s, q, &row[0], n)
	}
	return n
}

// signChanges counts those between values before the one that it returns.
func signChanges(row []float32) (next, changes int) {
	if next = len(row) &^ 7; !simd.AVX2 || next == 0 {
		return 0, 0
	}
	return next, signChangesAVX2(&row[0], next)
}

// largest is the largest size of values before the one that it returns, as bits.
func largest(row []float32) (size uint32, next int) {
	if next = len(row) &^ 7; !simd.AVX2 || next == 0 {
		return 0, 0
	}
	return largestAVX2(&row[0], next), next
}

func fours(n int) int {
	if !simd.AVX2 {
		return 0
	}
	return n &^ 3
}

// addMaskedAVX2 adds those bits of n values that the mask has, n > 0 a multiple of eight.
//
//go:noescape
func addMaskedAVX2(to, more *float32, n int, mask uint32)

// The others read n values, a multiple of four that is not zero.

//go:noescape
func addMultipleAVX2(sums, row *float64, n int, by float64)

//go:noescape
func addMultiple32AVX2(sums *float64, row *float32, n int, by float64)

//go:noescape
func addToAVX2(sums *float64, row *float32, n int)

//go:noescape
func addSquaresAVX2(sums, means *float64, row *float32, n int)

//go:noescape
func scaleAVX2(to, row *float32, means, by *float64, n int)

//go:noescape
func shiftAVX2(row *float32, n int, mean, by float64)

//go:noescape
func lanesAVX2(s *[4]float64, x, y *float64, n int)

// multiplyAVX2 reads a multiple of eight.
//
//go:noescape
func multiplyAVX2(row, by *float32, n int)

//go:noescape
func sumsAVX2(s, q *[4]float64, row *float32, n int)

// signChangesAVX2 and largestAVX2 read n values, n > 0 a multiple of eight.
//
//go:noescape
func signChangesAVX2(row *float32, n int) int

//go:noescape
func largestAVX2(row *float32, n int) uint32
