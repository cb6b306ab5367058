package linalg

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// best tries all assignments of rows from i on.
func best(c []float32, rows, cols, i int, taken []bool) float64 {
	if i == rows {
		return 0
	}
	top := -1e9
	if rows > cols {
		top = best(c, rows, cols, i+1, taken) // one may stay without
	}
	for j := range cols {
		if !taken[j] {
			taken[j] = true
			top = max(top, float64(c[i*cols+j])+best(c, rows, cols, i+1, taken))
			taken[j] = false
		}
	}
	return top
}

func TestAssignAgainstEnumeration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, shape := range [][2]int{{1, 1}, {5, 5}, {4, 6}, {6, 4}, {6, 6}} {
		rows, cols := shape[0], shape[1]
		for range 10 {
			c := make([]float32, rows*cols)
			for i := range c {
				c[i] = r.Float32()
			}
			sum, taken := 0.0, make([]bool, cols)
			for i, j := range Assign(c, rows, cols) {
				if j >= 0 {
					require.False(t, taken[j])
					taken[j] = true
					sum += float64(c[i*cols+j])
				}
			}
			require.InDelta(t, best(c, rows, cols, 0, make([]bool, cols)), sum, 1e-5, "%v", shape)
		}
	}
}
