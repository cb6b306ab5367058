package recipe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// relatives makes tensors of two children of a base, of the base, and of a third child
// that learned most of what the second one did; a rule gives the child, a tensor at a
// time.
func relatives(seed uint64, rule func(t *tensorFit) []float64) []*tensorFit {
	r := rand.New(rand.NewPCG(seed, 0x71e5))
	round := tensor.BF16.Rounding()
	var all []*tensorFit
	for l := range 4 {
		t := &tensorFit{group: []string{"layers.0", "layers.0", "layers.1", "layers.1"}[l], cols: 60, component: "mlp", dtype: tensor.BF16, stored: slices.Repeat([]tensor.DType{tensor.BF16}, 4), sources: []int{l / 2, l / 2, l / 2, l / 2}, x: make([][]float32, 4)}
		for range 6000 {
			base := r.NormFloat64() * 0.05
			a, b := r.NormFloat64()*0.006, r.NormFloat64()*0.006
			for k, v := range []float64{base + a, base + b, base, base + 0.8*b + r.NormFloat64()*0.004} {
				t.x[k] = append(t.x[k], round(float32(v)))
			}
		}
		for _, y := range rule(t) {
			t.y = append(t.y, round(float32(y)))
		}
		all = append(all, t)
	}
	return all
}

// ties is Yadav et al.'s rule in single precision, written down anew.
func ties(t *tensorFit, weight []float64, density float64) []float64 {
	edges := make([]float64, len(weight))
	for k := range weight {
		var sizes []float64
		for j := range t.x[k] {
			sizes = append(sizes, math.Abs(float64(t.x[k][j])-float64(t.x[2][j])))
		}
		slices.Sort(sizes)
		edges[k] = sizes[len(sizes)-int(density*float64(len(sizes)))]
	}
	out := make([]float64, len(t.x[2]))
	for j := range out {
		base, side := float64(t.x[2][j]), 0.0
		terms := make([]float64, len(weight))
		for k, w := range weight {
			if d := float64(t.x[k][j]) - base; math.Abs(d) >= edges[k] {
				terms[k] = w * d
				side += terms[k]
			}
		}
		sum, total := 0.0, 0.0
		for k, x := range terms {
			if x != 0 && (x > 0) == (side >= 0) {
				sum, total = sum+x, total+weight[k]
			}
		}
		if out[j] = base; total > 0 {
			out[j] += sum / total
		}
	}
	return out
}

// A rule that gives every value stands before one that leaves entries to chance, and a
// relative that learned the same as a parent is not let in beside it.
func TestTIESBesideARelative(t *testing.T) {
	for seed := range uint64(3) {
		got := fit(relatives(seed, func(f *tensorFit) []float64 { return ties(f, []float64{0.65, 0.35}, 0.45) }), 4)
		require.Equal(t, TIES, got.Method, "seed %d: %v", seed, got.Weights)
		require.Equal(t, MergeOnly, got.After)
		require.Equal(t, 2, got.Base)
		require.InDeltaSlice(t, []float64{0.65, 0.35, 0, 0}, got.Weights, 1e-9)
		require.InDelta(t, 0.45, got.Densities[0], 1e-9)
		require.Greater(t, got.Exact, 0.999)
	}
}

// Entries dropped at random are told from those chosen by size, to a thousandth of the
// weight, where what was kept was scaled up in every tensor apart.
func TestRandomEntriesOfEveryTensorsOwnScale(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 3))
		got := fit(relatives(seed, func(f *tensorFit) []float64 {
			out, scale := make([]float64, len(f.x[2])), 0.0
			var in []bool
			kept, all := 0.0, 0.0
			for j := range out {
				d := math.Abs(float64(f.x[0][j]) - float64(f.x[2][j]))
				in, all = append(in, r.Float64() < 0.7), all+d
				if in[j] {
					kept += d
				}
			}
			scale = 0.9 * all / kept
			for j := range out {
				if out[j] = float64(f.x[2][j]); in[j] {
					out[j] += scale * (float64(f.x[0][j]) - float64(f.x[2][j]))
				}
			}
			return out
		}), 4)
		require.Equal(t, DARE, got.Method, "seed %d: %v", seed, got.Weights)
		require.InDelta(t, 0.9, got.Weights[0], 2e-3)
		require.InDelta(t, 0.7, got.Density, 0.01)
		require.Greater(t, got.Exact, 0.99)
	}
}

// Entries of a second parent that are the largest of their row, by an edge of each
// row's own, were taken over as they are: whichever of the two is called the base.
func TestFusion(t *testing.T) {
	for seed := range uint64(3) {
		got := fit(relatives(seed, func(f *tensorFit) []float64 {
			r := rand.New(rand.NewPCG(seed, uint64(f.cols)))
			out := make([]float64, len(f.x[0]))
			edge := 0.0
			for j := range out {
				if j%f.cols == 0 {
					edge = 0.006 + 0.006*r.Float64()
				}
				if out[j] = float64(f.x[0][j]); math.Abs(float64(f.x[1][j]-f.x[0][j])) >= edge {
					out[j] = float64(f.x[1][j])
				}
			}
			return out
		}), 2)
		require.Equal(t, Fusion, got.Method, "seed %d: %v %s", seed, got.Weights, got.After)
		require.Equal(t, MergeOnly, got.After)
		require.InDelta(t, 1, got.Weights[0]+got.Weights[1], 1e-9)
	}
}

// A child of single precision whose values are all of a coarser type was mixed in that.
func TestNarrow(t *testing.T) {
	all := relatives(1, func(f *tensorFit) []float64 { return ties(f, []float64{0.5, 0.5}, 0.5) })
	for _, f := range all {
		f.dtype = tensor.F32
	}
	narrow(all)
	require.Equal(t, tensor.BF16, all[0].dtype)
	for _, f := range all {
		f.dtype = tensor.F32
	}
	all[3].y[17] += 1e-7
	narrow(all)
	require.Equal(t, tensor.F32, all[0].dtype)
}
