package adversary

import "math"

// assign pairs the rows of a score matrix with columns, each once, so that the sum
// of scores is largest: the Hungarian method with shortest augmenting paths (Jonker,
// Volgenant 1987). There are no more rows than columns. It returns the column of
// each row.
func assign(score *Matrix) []int {
	n, m := score.R, score.C
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
			at = shortest(score.Row(row[at]-1), row[at], at, u, v, least, done, way, row)
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

// mutual lists, for each row, the column that is its best and of which it is the
// best, or -1.
func mutual(score *Matrix) []int {
	best, of := make([]int, score.R), make([]int, score.C)
	top := make([]float64, score.C)
	for k := range top {
		top[k] = math.Inf(-1)
	}
	for i := range score.R {
		most := math.Inf(-1)
		for k, v := range score.Row(i) {
			if v > most {
				most, best[i] = v, k
			}
			if v > top[k] {
				top[k], of[k] = v, i
			}
		}
	}
	for i, k := range best {
		if of[k] != i {
			best[i] = -1
		}
	}
	return best
}
