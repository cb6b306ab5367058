package adversary

import (
	"math"

	"github.com/weightprint/weightprint/internal/linalg"
)

// assign pairs the rows of a score matrix with columns, each once, so that the sum of
// scores is largest, and returns the column of each row. There are no more rows than
// columns.
func assign(score *Matrix) []int { return linalg.Assign(score.V, score.R, score.C) }

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
