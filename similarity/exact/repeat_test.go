package exact_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
)

// copied makes all layers of a network copies of the first.
func copied(m *zoo.Model, layers int) {
	for _, t := range m.Tensors() {
		if rest, ok := strings.CutPrefix(t.Name, "model.layers.0."); ok {
			for l := 1; l < layers; l++ {
				copy(m.Values(fmt.Sprintf("model.layers.%d.%s", l, rest)), m.Values(t.Name))
			}
		}
	}
}

// generic is a network without known names: a stack of matrices, each of them
// stored twice.
func generic(r *rand.Rand, n, d int) *zoo.Model {
	m := zoo.New()
	first := make([]float32, 7*n) // so that the network shows where it begins
	for i := range first {
		first[i] = float32(r.NormFloat64())
	}
	m.Add("first.weight", first, int64(n), 7)
	for l := range 6 {
		if l%2 == 1 {
			m.Add(fmt.Sprintf("block%d.weight", l), m.Values(fmt.Sprintf("block%d.weight", l-1)), int64(n), int64(d))
			continue
		}
		v := make([]float32, n*d)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		m.Add(fmt.Sprintf("block%d.weight", l), v, int64(n), int64(d))
	}
	m.Add("last.weight", make([]float32, 4*n), 4, int64(n))
	return m
}

// Parts that stand in both networks more than once (upscaled stacks, experts
// made from one MLP, tensors stored twice) are one piece of evidence, not many.
func TestRepeatedPartsCountOnce(t *testing.T) {
	n := pairs(t) / 10
	for name, make := range map[string]func(r *rand.Rand) *zoo.Model{
		"layers": func(r *rand.Rand) *zoo.Model {
			m := zoo.Random(r, zoo.Shape{Layers: 8, Hidden: 32, Width: 48, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 40}, zoo.Quirks{})
			copied(m, 8)
			return m
		},
		"generic": func(r *rand.Rand) *zoo.Model { return generic(r, 40, 40) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			low, given := map[string]int{}, map[string]int{}
			inParallel(n, func(i int) {
				r := rand.New(rand.NewPCG(uint64(i), 55))
				found := run(t, make(r), make(r), uint64(i), 0)
				mu.Lock()
				defer mu.Unlock()
				for _, e := range found {
					if e.P != nil && e.LayerB < 0 {
						given[e.Test+"/"+e.Component]++
						if e.P.Log10() <= -2 {
							low[e.Test+"/"+e.Component]++
						}
					}
				}
			})
			require.NotEmpty(t, given)
			for key, m := range given {
				require.LessOrEqual(t, float64(low[key]), 0.01*float64(m)+2.58*3.2+2, "%s: %d of %d below 0.01", key, low[key], m)
			}
		})
	}
}
