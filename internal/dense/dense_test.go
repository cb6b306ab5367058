package dense

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows are told apart as the definition says, value by value.
func TestVaries(t *testing.T) {
	byDefinition := func(row []float32) bool {
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
		return min(first, last) >= min(8, (len(row)+1)/2)
	}
	r := rand.New(rand.NewPCG(1, 1))
	odd := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	seen := map[bool]int{}
	for range 20_000 {
		row := make([]float32, r.IntN(40))
		for i := range row {
			if r.IntN(3) == 0 {
				row[i] = float32(r.IntN(3))
			}
		}
		if len(row) > 0 && r.IntN(4) == 0 {
			row[r.IntN(len(row))] = odd[r.IntN(len(odd))]
		}
		want := byDefinition(row)
		require.Equal(t, want, Varies(row), "%v", row)
		seen[want]++
	}
	require.Greater(t, min(seen[true], seen[false]), 2000)
}
