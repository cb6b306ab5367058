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
	gram   gram          // products of models of one shape
	frames *frames       // what models of different shapes have in common; nil where that is not at hand
	gaps   [][]float64   // apart, kept; nil where it is not asked often
}

// gram holds the products of models with each other.
type gram [][]float64

// along is the product of the ways from g to a and from g to b.
func (m gram) along(g, a, b int) float64 { return m[a][b] - m[a][g] - m[g][b] + m[g][g] }

// far is the length of the way from g to a.
func (m gram) far(g, a int) float64 { return math.Sqrt(max(0, m.along(g, a, a))) }

// newVectors puts the sampled values of all models side by side.
func newVectors(all []*sampled) *vectors {
	v := &vectors{}
	var weights [][]float64
	for _, s := range all {
		v.shape, v.values, weights = append(v.shape, s.Shape), append(v.values, s.Values), append(weights, s.Weights)
	}
	v.multiply(weights)
	v.frames = newFrames(all)
	v.gaps = make([][]float64, len(all))
	dense.Parallel(len(all), func(i int) {
		gaps := make([]float64, i)
		for j := range i {
			gaps[j] = v.measure(j, i)
		}
		v.gaps[i] = gaps
	})
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
	v.gram = make(gram, len(v.values))
	for i := range v.gram {
		v.gram[i] = make([]float64, len(v.values))
	}
	dense.Parallel(len(v.values), func(i int) {
		var like []int // the models of its shape up to it
		for j := range i + 1 {
			if v.shape[i] == v.shape[j] {
				like = append(like, j)
			}
		}
		for at := range slices.Chunk(like, 4) {
			v.multiplyFew(i, at, weights[i])
		}
	})
	for i := range v.gram {
		for j := range i {
			v.gram[j][i] = v.gram[i][j]
		}
	}
}

// multiplyFew fills in the products of a model with up to four of its shape.
func (v *vectors) multiplyFew(i int, few []int, weights []float64) {
	for m, w := range weights {
		var rows [4][]float32
		for k := range rows {
			rows[k] = v.values[few[min(k, len(few)-1)]][m]
		}
		products := dots(v.values[i][m], &rows)
		for k, j := range few {
			v.gram[i][j] += float64(w * products[k])
		}
	}
}

// together holds the products of a few models over what all have in common, seen from the
// last; false where that is too little to say anything.
func (v *vectors) together(models ...int) (gram, bool) {
	if !v.inPlace(models) {
		return v.frames.products(models)
	}
	out := make(gram, len(models))
	for i, x := range models {
		for _, y := range models {
			out[i] = append(out[i], v.gram[x][y])
		}
	}
	return out, true
}

// inPlace tells whether all matrices of some models stand in the places of the last one's.
func (v *vectors) inPlace(models []int) bool {
	c := models[len(models)-1]
	return !slices.ContainsFunc(models, func(i int) bool {
		return v.shape[i] != v.shape[c] || v.frames != nil && v.frames.maps[c][i] != nil
	})
}

// distance is |x−y|/|y|, so that distances to one y from several x can be held
// against each other; where they have too little in common for that, what the comparison
// found on the matrices that both have.
func (v *vectors) distance(x, y int, found float64) float64 {
	if found == incomparable {
		return found
	}
	m, ok := v.together(x, y)
	if !ok || m[1][1] == 0 {
		return found
	}
	return min(m.far(0, 1)/math.Sqrt(m[1][1]), 2)
}

// apart is how far two models are from each other once what they have in common has
// length 1; infinitely where that is too little. Unlike distance it favours no model for
// being large or small.
func (v *vectors) apart(x, y int) float64 {
	if v.gaps != nil && x != y {
		return v.gaps[max(x, y)][min(x, y)]
	}
	return v.measure(x, y)
}

func (v *vectors) measure(x, y int) float64 {
	m, ok := v.together(x, y)
	if !ok || m[0][0] == 0 || m[1][1] == 0 {
		return math.Inf(1)
	}
	return math.Sqrt(max(0, 2-2*m[0][1]/math.Sqrt(m[0][0]*m[1][1])))
}

func dot(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(float64(x[i]) * float64(y[i]))
	}
	return sum
}

// dots are the products of one row with four, each summed as dot sums it: four sums that
// do not wait for each other.
func dots(x []float32, with *[4][]float32) [4]float64 {
	y0, y1, y2, y3 := with[0][:len(x)], with[1][:len(x)], with[2][:len(x)], with[3][:len(x)]
	var s0, s1, s2, s3 float64
	for i, v := range x {
		w := float64(v)
		s0 += float64(w * float64(y0[i]))
		s1 += float64(w * float64(y1[i]))
		s2 += float64(w * float64(y2[i]))
		s3 += float64(w * float64(y3[i]))
	}
	return [4]float64{s0, s1, s2, s3}
}
