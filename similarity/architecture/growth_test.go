package architecture

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

var small = zoo.Shape{Layers: 2, Hidden: 64, Width: 160, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 100}

// learned gives the rows of a matrix what training leaves: a few directions that all
// have a share in.
func learned(r *rand.Rand, m *zoo.Model, name string, cols int) {
	v := m.Values(name)
	shared := make([]float64, 4*cols)
	for i := range shared {
		shared[i] = r.NormFloat64()
	}
	for first := 0; first < len(v); first += cols {
		for k := range 4 {
			by := r.NormFloat64()
			for c := range cols {
				v[first+c] += float32(by * shared[k*cols+c])
			}
		}
	}
}

func towerOf(m *zoo.Model) (*align.Pair, *roles.Tower) {
	p := align.NewPair(align.NewSubject("a", m, nil), align.NewSubject("b", m, nil), []byte("seed"), align.NoLimit)
	return p, p.A.Net.Towers[0]
}

// A layer holds nothing where neither its outputs nor what stands before them was
// trained: queries and keys, which say little, are not asked.
func TestHoldsNothing(t *testing.T) {
	cols := map[string]int{"self_attn.o_proj": 64, "mlp.down_proj": 160, "self_attn.v_proj": 64, "mlp.up_proj": 64}
	for name, c := range map[string]struct {
		trained []string
		nothing bool
	}{
		"drawn":              {nil, true},
		"attention's output": {[]string{"self_attn.o_proj"}, false},
		"the MLP's output":   {[]string{"mlp.down_proj"}, false},
		"values":             {[]string{"self_attn.v_proj"}, false},
		"up":                 {[]string{"mlp.up_proj"}, false},
	} {
		r := rand.New(rand.NewPCG(7, 1))
		m := zoo.Random(r, small, zoo.Quirks{})
		for part, n := range cols {
			learned(r, m, "model.layers.1."+part+".weight", n)
		}
		for _, part := range c.trained {
			learned(r, m, "model.layers.0."+part+".weight", cols[part])
		}
		p, tower := towerOf(m)
		got, err := holdsNothing(t.Context(), p, tower.Layers[0], tower.Layers[1])
		require.NoError(t, err)
		require.Equal(t, c.nothing, got, name)
	}
}

// Gains count as multiplied against the matrices behind them where columns shrink by
// as much as gains grow, and not where they shrink by less.
func TestRescaledNeedsTheSlope(t *testing.T) {
	for name, c := range map[string]struct {
		power    float64
		rescaled bool
	}{"taken off the columns": {-1, true}, "half of it": {-0.5, false}, "twice": {-2, false}, "put on": {1, false}, "left alone": {0, false}} {
		r := rand.New(rand.NewPCG(7, 2))
		m := zoo.Random(r, small, zoo.Quirks{Gains: 0.4})
		for _, l := range []string{"model.layers.0.", "model.layers.1."} {
			for norm, behind := range map[string]string{"input_layernorm": "self_attn.v_proj", "post_attention_layernorm": "mlp.up_proj"} {
				gain, v := m.Values(l+norm+".weight"), m.Values(l+behind+".weight")
				for i := range v {
					v[i] *= float32(math.Pow(float64(gain[i%len(gain)]), c.power))
				}
			}
		}
		p, tower := towerOf(m)
		got, err := rescaled(t.Context(), p, tower)
		require.NoError(t, err)
		require.Equal(t, c.rescaled, got, name)
	}
}
