package dense

import "math"

// Marks of a row that guards look at, each in one pass.

// Sums are the sum of squares of a row and its sum, each taken in four parts: of every
// fourth value from the first four on, the rest with the first part.
func Sums(row []float32) (squares, sum float64) {
	var s, q [4]float64
	k := sums(&s, &q, row)
	for ; k+4 <= len(row); k += 4 {
		a, b, c, d := float64(row[k]), float64(row[k+1]), float64(row[k+2]), float64(row[k+3])
		s[0], s[1], s[2], s[3] = s[0]+a, s[1]+b, s[2]+c, s[3]+d
		q[0], q[1], q[2], q[3] = q[0]+float64(a*a), q[1]+float64(b*b), q[2]+float64(c*c), q[3]+float64(d*d)
	}
	for ; k < len(row); k++ {
		v := float64(row[k])
		s[0], q[0] = s[0]+v, q[0]+float64(v*v)
	}
	return (q[0] + q[1]) + (q[2] + q[3]), (s[0] + s[1]) + (s[2] + s[3])
}

// SignChanges counts neighbours of which one is below zero and the other is not.
func SignChanges(row []float32) int {
	if len(row) == 0 {
		return 0
	}
	k, n := signChanges(row)
	for k = max(k, 1); k < len(row); k++ {
		if (row[k] < 0) != (row[k-1] < 0) {
			n++
		}
	}
	return n
}

// Largest is the first position of the value of largest size, and 0 where all are zero.
// The row is finite.
func Largest(row []float32) int {
	const magnitude = 1<<31 - 1
	const block = 128
	best, at := uint32(0), 0
	for first := 0; first < len(row); first += block {
		part := row[first:min(first+block, len(row))]
		size, k := largest(part)
		for ; k < len(part); k++ {
			size = max(size, math.Float32bits(part[k])&magnitude)
		}
		if size > best {
			best, at = size, first
		}
	}
	for ; at < len(row) && math.Float32bits(row[at])&magnitude != best; at++ {
	}
	return at
}
