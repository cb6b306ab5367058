package lineage

import (
	"math"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/internal/dense"
)

// incomparable stands for the distance of values that do not correspond.
const incomparable = 1.9

// vectors holds what the values of models say about how these lie to each
// other: every distance and angle follows from the products of values that
// stand at the same places.
type vectors struct {
	shape  []string
	values [][][]float32 // by model and matrix
	gram   [][]float64   // products of models of one shape
}

// newVectors puts the sampled values of all models side by side.
func newVectors(all []*sampled) *vectors {
	v := &vectors{}
	var weights [][]float64
	for _, s := range all {
		v.shape, v.values, weights = append(v.shape, s.Shape), append(v.values, s.Values), append(weights, s.Weights)
	}
	v.multiply(weights)
	return v
}

// noVectors stands for models whose values are not at hand: no two are of one
// shape.
func noVectors(n int) *vectors {
	v := &vectors{}
	for i := range n {
		v.shape = append(v.shape, strconv.Itoa(i))
	}
	return v
}

// multiply fills in the products; weights say for how many values of its matrix
// each sampled one stands.
func (v *vectors) multiply(weights [][]float64) {
	v.gram = make([][]float64, len(v.values))
	for i := range v.gram {
		v.gram[i] = make([]float64, len(v.values))
	}
	dense.Parallel(len(v.values), func(i int) {
		for j := range i + 1 {
			if v.shape[i] != v.shape[j] {
				continue
			}
			for m, w := range weights[i] {
				v.gram[i][j] += float64(w * dot(v.values[i][m], v.values[j][m]))
			}
		}
	})
	for i := range v.gram {
		for j := range i {
			v.gram[j][i] = v.gram[i][j]
		}
	}
}

// along is the product of the ways from g to a and from g to b.
func (v *vectors) along(g, a, b int) float64 {
	return v.gram[a][b] - v.gram[a][g] - v.gram[g][b] + v.gram[g][g]
}

// far is the length of the way from g to a.
func (v *vectors) far(g, a int) float64 { return math.Sqrt(max(0, v.along(g, a, a))) }

// distance is |x−y|/|y|, so that distances to one y from several x can be held
// against each other; where the shapes differ, what the comparison found on the
// matrices that both have.
func (v *vectors) distance(x, y int, found float64) float64 {
	if v.shape[x] != v.shape[y] || found == incomparable {
		return found
	}
	size := math.Sqrt(v.gram[y][y])
	if size == 0 {
		return found
	}
	return min(v.far(x, y)/size, 2)
}

// apart is how far two models of one shape are from each other once both have length 1;
// infinitely where they are not of one shape. Unlike distance it favours no model for
// being large or small.
func (v *vectors) apart(x, y int) float64 {
	if v.shape[x] != v.shape[y] {
		return math.Inf(1)
	}
	size := math.Sqrt(v.gram[x][x] * v.gram[y][y])
	if size == 0 {
		return math.Inf(1)
	}
	return math.Sqrt(max(0, 2-2*v.gram[x][y]/size))
}

// equal tells whether a matrix is the same in two models of one shape.
func (v *vectors) equal(i, j, matrix int) bool {
	return slices.Equal(v.values[i][matrix], v.values[j][matrix])
}

func dot(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(float64(x[i]) * float64(y[i]))
	}
	return sum
}
