package recipe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/align"
)

// A mixture with a negative weight is task arithmetic and linear: the two are one sum.
// Where weights do not sum to one it is linear alone.
func TestNegativeWeightsAreBoth(t *testing.T) {
	got := fit(mixed(1, func(_ *rand.Rand, _, a, b float64) float64 { return 1.3*a - 0.3*b }), 4)
	require.Equal(t, TaskArithmetic, got.Method)
	require.Contains(t, got.Same, Linear)
	require.InDeltaSlice(t, []float64{1.3, -0.3, 0, 0}, got.Weights, 0.005)
	got = fit(mixed(2, func(_ *rand.Rand, _, a, b float64) float64 { return 0.6*a + 0.5*b }), 4)
	require.Equal(t, Linear, got.Method)
	require.NotContains(t, got.Same, TaskArithmetic)
	require.InDeltaSlice(t, []float64{0.6, 0.5, 0, 0}, got.Weights, 0.005)
}

// Task vectors mixed on a sphere around their base: unit vectors, weighed, and of the mean
// length.
func TestMultiSLERPFromABase(t *testing.T) {
	all := mixed(3, func(*rand.Rand, float64, float64, float64) float64 { return 0 })
	for _, f := range all {
		size := [2]float64{}
		for k := range size {
			for j, b := range f.x[2] {
				size[k] += math.Pow(float64(f.x[k][j])-float64(b), 2)
			}
			size[k] = math.Sqrt(size[k])
		}
		mean, sum := make([]float64, len(f.y)), 0.0
		for j, b := range f.x[2] {
			mean[j] = 0.45*(float64(f.x[0][j])-float64(b))/size[0] + 0.55*(float64(f.x[1][j])-float64(b))/size[1]
			sum += mean[j] * mean[j]
		}
		long := (0.45*size[0] + 0.55*size[1]) / math.Sqrt(sum)
		for j, b := range f.x[2] {
			f.y[j] = f.dtype.Rounding()(float32(float64(b) + long*mean[j]))
		}
	}
	got := fit(all, 4)
	require.Equal(t, MultiSLERP, got.Method)
	require.Equal(t, MergeOnly, got.After)
	require.Equal(t, 2, got.Base)
	require.InDeltaSlice(t, []float64{0.45, 0.55, 0, 0}, got.Weights, 1e-9)
}

// Entries that were dropped by a rule that is not found are neither training nor a parent
// that is missing. What was trained is not said to be chosen.
func TestChosenEntriesAreNoTraining(t *testing.T) {
	got := fit(mixed(4, func(r *rand.Rand, o, a, b float64) float64 {
		if r.IntN(3) == 0 {
			return o
		}
		return o + (0.3+0.9*r.Float64())*(a-o) + (0.3+0.9*r.Float64())*(b-o)
	}), 4)
	require.Equal(t, Unknown, got.Method)
	require.Equal(t, Remains, got.After)
	got = fit(mixed(5, func(r *rand.Rand, _, a, b float64) float64 { return 0.5*a + 0.5*b + r.NormFloat64()*0.003 }), 4)
	require.NotEqual(t, Remains, got.After)
}

// Weights of entries that were dropped at random are stated for either way of doing it.
func TestUnscaledWeights(t *testing.T) {
	got := fit(mixed(6, func(r *rand.Rand, o, a, b float64) float64 {
		if r.Float64() < 0.6 {
			o += 0.5 * (a - o)
		}
		return o
	}), 4)
	require.Equal(t, DARE, got.Method)
	require.InDelta(t, 0.5, got.Unscaled()[0], 0.02)
	require.InDelta(t, 0.3, got.Weights[0], 0.02)
	require.Nil(t, (&Recipe{Method: Linear}).Unscaled())
}

func TestRowsByToken(t *testing.T) {
	require.Nil(t, vocabularyOf(align.TokenMatch{A: []int{0, 1}, B: []int{0, 1}}, 2, 2))
	l := &loader{vocabularies: []map[string]vocabulary{{}, {"head": vocabularyOf(align.TokenMatch{A: []int{3, 0}, B: []int{1, 2}}, 5, 4)}}}
	rows := l.common("head", []int{0, 1, 2, 3})
	require.Equal(t, []int{1, 2}, rows)
	require.Equal(t, []int{3, 0}, l.rowsOf(1, "head", rows))
	require.Equal(t, rows, l.rowsOf(0, "head", rows))
	require.Equal(t, []int{0, 1}, l.common("embedding", []int{0, 1}))
}
