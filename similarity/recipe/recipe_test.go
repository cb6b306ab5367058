package recipe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// mixed makes tensors of a base, two children of it and a stranger, and a child
// that mix makes of them, rounded to bfloat16.
func mixed(seed uint64, mix func(r *rand.Rand, base, a, b float64) float64) []*tensorFit {
	r := rand.New(rand.NewPCG(seed, 5))
	var all []*tensorFit
	for l := range 4 {
		t := &tensorFit{group: []string{"layers.0", "layers.0", "layers.1", "layers.1"}[l], cols: 60, component: "mlp", dtype: tensor.BF16, stored: slices.Repeat([]tensor.DType{tensor.BF16}, 4), sources: []int{l / 2, l / 2, l / 2, l / 2}, x: make([][]float32, 4)}
		for range 3000 {
			base := r.NormFloat64() * 0.05
			a, b := base+r.NormFloat64()*0.004, base+r.NormFloat64()*0.004
			for k, v := range []float64{a, b, base, r.NormFloat64() * 0.05} {
				t.x[k] = append(t.x[k], float32(v))
			}
			y := math.Float32bits(float32(mix(r, base, a, b)))
			t.y = append(t.y, math.Float32frombits((y+0x7fff+y>>16&1)&^0xffff))
		}
		all = append(all, t)
	}
	return all
}

func TestMethods(t *testing.T) {
	for _, c := range []struct {
		name    string
		mix     func(r *rand.Rand, base, a, b float64) float64
		method  Method
		weights []float64
	}{
		{"linear", func(_ *rand.Rand, _, a, b float64) float64 { return 0.3*a + 0.7*b }, Linear, []float64{0.3, 0.7, 0, 0}},
		{"task arithmetic", func(_ *rand.Rand, o, a, b float64) float64 { return o + 0.8*(a-o) - 0.4*(b-o) }, TaskArithmetic, []float64{0.8, -0.4, 0.6, 0}},
		{"dare", func(r *rand.Rand, o, a, b float64) float64 {
			y := o
			if r.Float64() < 0.4 {
				y += 0.5 / 0.4 * (a - o)
			}
			if r.Float64() < 0.4 {
				y += 0.5 / 0.4 * (b - o)
			}
			return y
		}, DARE, []float64{0.5, 0.5, 0, 0}},
		{"copy", func(_ *rand.Rand, _, a, _ float64) float64 { return a }, Copy, []float64{1, 0, 0, 0}},
		{"trained on", func(r *rand.Rand, _, a, b float64) float64 { return 0.5*a + 0.5*b + r.NormFloat64()*0.003 }, Unknown, []float64{0.5, 0.5, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				got := fit(mixed(seed, c.mix), 4)
				require.Equal(t, c.method, got.Method, "residual %g, rounding %g", got.Residual, got.Rounding)
				require.InDeltaSlice(t, c.weights, got.Weights, 0.025) // of twelve thousand entries the share that was kept is known to a hundredth
				require.Equal(t, c.method == Unknown, got.Missing)
			}
		})
	}
}

// Of a stranger of whom one part was taken over no weights are stated: its tensors
// disagree by more than the weights come to.
func TestSplicedStrangersGetNoWeights(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 9))
		all := mixed(seed, func(_ *rand.Rand, base, _, _ float64) float64 { return base })
		for l, f := range all {
			f.x = f.x[2:3] // the base alone
			f.stored, f.sources = f.stored[:1], f.sources[:1]
			for i := range f.y {
				if l > 0 { // all but the first are a stranger's
					f.y[i] = float32(r.NormFloat64() * 0.05)
				}
				f.y[i] = math.Float32frombits(math.Float32bits(f.y[i]) &^ 0xffff)
			}
		}
		got := fit(all, 1)
		require.Equal(t, NoMixture, got.After, "weights %v, ±%v", got.Weights, got.CI)
		require.Zero(t, got.Weights[0])
	}
}
