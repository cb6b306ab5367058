package recipe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Task arithmetic that rounds its own steps leaves a base of −.502: weights are snapped to
// a sum of one whatever order the parents are given in.
func TestSnappedInAnyOrder(t *testing.T) {
	weights := map[string][2]float64{"a": {0.5, 0.5}, "b": {0.4001, 0.4}, "c": {0.6, 0.6}, "base": {-0.502, -0.5}}
	for _, order := range [][]string{{"a", "b", "c", "base"}, {"base", "a", "b", "c"}, {"c", "base", "b", "a"}} {
		f := &fitting{all: []*tensorFit{{dtype: tensor.BF16}}}
		m := mixture{}
		for k, name := range order {
			f.use = append(f.use, k)
			m.weights, m.ci = append(m.weights, weights[name][0]), append(m.ci, 2e-4)
		}
		got := f.snapped(m)
		for k, name := range order {
			require.InDelta(t, weights[name][1], got[k], 1e-9, "%s of %v", name, order)
		}
	}
	f := &fitting{use: []int{0, 1}, all: []*tensorFit{{dtype: tensor.BF16}}}
	require.Equal(t, []float64{0.5, 0.48}, f.snapped(mixture{weights: []float64{0.5, 0.48}, ci: []float64{1e-4, 1e-4}}), "a sum of .98 is none of one")
}
