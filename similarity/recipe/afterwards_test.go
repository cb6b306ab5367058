package recipe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was pruned or rounded to four bits after a merge is called so, and what was
// moved at random is not.
func TestWhatFollowedAMerge(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(r *rand.Rand, y []float32)
		want  After
	}{
		{"pruned", func(_ *rand.Rand, y []float32) {
			for at := 0; at < len(y); at += 4 {
				run := y[at : at+4]
				least := 0
				for i, v := range run {
					if math.Abs(float64(v)) < math.Abs(float64(run[least])) {
						least = i
					}
				}
				run[least] = 0
			}
		}, Thinned},
		{"four bits", func(_ *rand.Rand, y []float32) {
			for at := 0; at+32 <= len(y); at += 32 {
				most := 0.0
				for _, v := range y[at : at+32] {
					most = math.Max(most, math.Abs(float64(v)))
				}
				for i, v := range y[at : at+32] {
					y[at+i] = float32(math.Round(float64(v)/most*7) * most / 7)
				}
			}
		}, Coarsened},
		{"moved", func(r *rand.Rand, y []float32) {
			for i := range y {
				y[i] += float32(.003 * r.NormFloat64())
			}
		}, Trained},
	} {
		for seed := range uint64(3) {
			all := mixed(seed, func(_ *rand.Rand, _, a, b float64) float64 { return .6*a + .4*b })
			r := rand.New(rand.NewPCG(seed, 1))
			all[3].component = "embeddings" // is left as it is
			for i, f := range all {
				if i < 3 {
					c.after(r, f.y)
				}
				for k, v := range f.y {
					f.y[k] = math.Float32frombits((math.Float32bits(v) + 0x7fff + math.Float32bits(v)>>16&1) &^ 0xffff)
				}
			}
			require.Equal(t, c.want, fit(all, 4).After, "%s, seed %d", c.name, seed)
		}
	}
}

// Gains follow the weights of their layer, or of a whole mixture where matrices were
// multiplied besides.
func TestGainsOfMergesByLayer(t *testing.T) {
	for name, weights := range map[string][2]float64{"by layer": {.2, .8}, "multiplied": {.6, .6}} {
		times := 1.0
		if name == "multiplied" {
			times = 1.03
		}
		layer := -1
		all := mixed(5, func(_ *rand.Rand, _, a, b float64) float64 {
			layer++
			w := weights[layer/6000] // two tensors of 3000 values each
			return times * (w*a + (1-w)*b)
		})
		r := rand.New(rand.NewPCG(2, 2))
		for l := range 2 {
			g := &tensorFit{role: []string{"layers.0.norm", "layers.1.norm"}[l], group: "norms", component: "norms", vector: true, cols: 96, dtype: all[0].dtype, stored: all[0].stored, sources: []int{-1, -1, -1, -1}, x: make([][]float32, 4)}
			for range 96 {
				base := 1 + .2*r.NormFloat64()
				x := []float64{base + .05*r.NormFloat64(), base + .05*r.NormFloat64(), base, r.NormFloat64()}
				for k, v := range x {
					g.x[k] = append(g.x[k], float32(v))
				}
				y := math.Float32bits(float32(weights[l]*float64(g.x[0][len(g.y)]) + (1-weights[l])*float64(g.x[1][len(g.y)])))
				g.y = append(g.y, math.Float32frombits((y+0x7fff+y>>16&1)&^0xffff))
			}
			all = append(all, g)
		}
		got := fit(all, 4)
		require.Equal(t, MergeOnly, got.After, "%s: %s %v %v", name, got.Method, got.Weights, got.Warnings)
	}
}
