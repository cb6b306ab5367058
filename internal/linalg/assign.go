package linalg

import "math"

// Assign pairs the rows of a score matrix, n × m and row by row, with columns, each once,
// so that the sum of scores is largest: the Hungarian method with shortest augmenting
// paths (Jonker, Volgenant 1987). There are no more rows than columns. It returns the
// column of each row.
func Assign(score []float64, n, m int) []int {
	u, v := make([]float64, n+1), make([]float64, m+1)
	row, way := make([]int, m+1), make([]int, m+1) // row of each column, 0 for none
	least, done := make([]float64, m+1), make([]bool, m+1)
	for i := 1; i <= n; i++ {
		row[0] = i
		for j := range least {
			least[j], done[j] = math.Inf(1), false
		}
		at := 0
		for {
			done[at] = true
			at = shortest(score[(row[at]-1)*m:row[at]*m], row[at], at, u, v, least, done, way, row)
			if row[at] == 0 {
				break
			}
		}
		for at != 0 {
			row[at] = row[way[at]]
			at = way[at]
		}
	}
	out := make([]int, n)
	for j := 1; j <= m; j++ {
		if row[j] > 0 {
			out[row[j]-1] = j - 1
		}
	}
	return out
}

// shortest extends the paths from one row and moves the potentials on.
func shortest(score []float64, i, at int, u, v, least []float64, done []bool, way, row []int) int {
	next, delta := 0, math.Inf(1)
	for j := 1; j < len(v); j++ {
		if done[j] {
			continue
		}
		if c := -score[j-1] - u[i] - v[j]; c < least[j] {
			least[j], way[j] = c, at
		}
		if least[j] < delta {
			next, delta = j, least[j]
		}
	}
	for j := range v {
		if done[j] {
			u[row[j]] += delta
			v[j] -= delta
		} else {
			least[j] -= delta
		}
	}
	return next
}
