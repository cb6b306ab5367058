package dense

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Marks of a row are what their definitions say, whatever its length and with zeros of
// both signs, ties and values that overflow when they are squared in float32.
func TestMarksByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	odd := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -1e-39, 1, -1}
	for n := range 300 {
		for range 10 {
			whole := random(r, n+8) // what stands behind the row takes no part
			row := whole[:n:n]
			for k := range row {
				if r.IntN(3) == 0 {
					row[k] = odd[r.IntN(len(odd))]
				}
			}
			squares, sum := Sums(row)
			wantSquares, wantSum := sumsByDefinition(row)
			require.Equal(t, math.Float64bits(wantSquares), math.Float64bits(squares), "%v", row)
			require.Equal(t, math.Float64bits(wantSum), math.Float64bits(sum), "%v", row)
			changes, largest := 0, 0
			for k := range row {
				if k > 0 && (row[k] < 0) != (row[k-1] < 0) {
					changes++
				}
				if math.Abs(float64(row[k])) > math.Abs(float64(row[largest])) {
					largest = k
				}
			}
			require.Equal(t, changes, SignChanges(row), "%v", row)
			require.Equal(t, largest, Largest(row), "%v", row)
		}
	}
}

func sumsByDefinition(row []float32) (squares, sum float64) {
	var s, q [4]float64
	for k, v := range row {
		part := k % 4
		if k >= len(row)/4*4 {
			part = 0
		}
		s[part] += float64(v)
		q[part] += float64(float64(v) * float64(v))
	}
	return (q[0] + q[1]) + (q[2] + q[3]), (s[0] + s[1]) + (s[2] + s[3])
}

func BenchmarkMarks(b *testing.B) {
	row := random(rand.New(rand.NewPCG(23, 24)), 2048)
	b.SetBytes(4 * int64(len(row)))
	for b.Loop() {
		Sums(row)
		SignChanges(row)
		Largest(row)
	}
}
