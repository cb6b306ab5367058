package lineage

import (
	"context"
	"strconv"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/delta"
)

// incomparable stands for the distance of values that do not correspond.
const incomparable = 1.9

// vectors holds the same sampled values of models of one shape.
type vectors struct {
	x     [][]float32
	shape []string
	ends  [][]int // where the values of each matrix end
}

// newVectors samples the values of all models, at positions that depend on
// shapes only.
func newVectors(ctx context.Context, in []report.Input) (*vectors, error) {
	v := &vectors{}
	for _, m := range in {
		s, err := report.SampleValues(ctx, m)
		if err != nil {
			return nil, err
		}
		var x []float32
		var ends []int
		for _, values := range s.Values {
			x = append(x, values...)
			ends = append(ends, len(x))
		}
		v.x, v.shape, v.ends = append(v.x, x), append(v.shape, s.Shape), append(v.ends, ends)
	}
	return v, nil
}

// noVectors stands for models whose values are not at hand: no two are of one
// shape.
func noVectors(n int) *vectors {
	v := &vectors{x: make([][]float32, n)}
	for i := range n {
		v.shape = append(v.shape, strconv.Itoa(i))
	}
	return v
}

// distance is |x−y|/|y|, so that distances to one y from several x can be held
// against each other; where the shapes differ, what the comparison found on the
// matrices that both have.
func (v *vectors) distance(i, j int, found float64) float64 {
	if v.shape[i] != v.shape[j] || found == incomparable {
		return found
	}
	var s delta.Stats
	s.AddPlain(v.x[j], v.x[i])
	return min(s.Relative(), 2)
}

func minus(x, y []float32) []float32 {
	out := make([]float32, len(x))
	for i := range out {
		out[i] = x[i] - y[i]
	}
	return out
}

func dot(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(float64(x[i]) * float64(y[i]))
	}
	return sum
}
