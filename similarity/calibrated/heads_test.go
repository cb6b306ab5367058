package calibrated_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
	"github.com/weightprint/weightprint/similarity/exact"
)

var shape = zoo.Shape{Layers: 3, Hidden: 64, Width: 96, Heads: 8, KVHeads: 4, HeadDim: 16, Vocab: 300, Untied: true}

// network draws one with gains of its own.
func network(seed uint64) *zoo.Model {
	return zoo.Random(rand.New(rand.NewPCG(seed, 1)), shape, zoo.Quirks{Gains: 0.3})
}

// effects runs all tests and returns their effects by name.
func effects(t *testing.T, a, b *zoo.Model) map[string]float64 {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, calibrated.Invariants())
	require.NoError(t, err)
	out := map[string]float64{}
	for _, e := range all {
		require.Empty(t, e.Skipped, e.Test)
		require.Equal(t, e.Test == exact.TokenSigns, e.Tier == similarity.Exact)
		require.Equal(t, e.Tier == similarity.Exact, e.P != nil, "a calibrated test states no p-value")
		out[e.Test] = e.Effect
	}
	require.Len(t, out, 6)
	return out
}

// No disguise alters any invariant by more than rounding.
func TestInvariance(t *testing.T) {
	m := network(1)
	for _, d := range append([]zoo.Disguise{{Name: "all together", Apply: zoo.DisguiseAll}}, zoo.Disguises...) {
		c := m.Clone()
		d.Apply(rand.New(rand.NewPCG(9, 1)), c)
		for test, effect := range effects(t, m, c) {
			require.InDelta(t, 1, effect, 1e-4, "%s: %s", d.Name, test)
		}
	}
}

// turnHalf turns the first head of a matrix by a right angle in every plane.
func turnHalf(v []float32, cols int) {
	half := shape.HeadDim / 2 * cols
	for i := range half {
		v[i], v[half+i] = -v[half+i], v[i]
	}
}

// What changes the function changes the invariant that looks there, and what the
// invariant does not look at leaves it.
func TestInvariantsSeeWhatIsNotFree(t *testing.T) {
	m := network(1)
	r := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		name    string
		change  func(c *zoo.Model)
		altered string // test, or prefix of tests
	}{
		{"keys turned alone", func(c *zoo.Model) {
			turnHalf(c.Values("model.layers.1.self_attn.k_proj.weight"), shape.Hidden)
		}, "qk-phases"},
		{"queries drawn anew", func(c *zoo.Model) { redraw(r, c.Values("model.layers.1.self_attn.q_proj.weight")) }, "qk"},
		{"outputs drawn anew", func(c *zoo.Model) { redraw(r, c.Values("model.layers.1.self_attn.o_proj.weight")) }, "ov"},
		{"embedding drawn anew", func(c *zoo.Model) { redraw(r, c.Values("model.embed_tokens.weight")) }, "token"},
		{"layer 0 drawn anew", func(c *zoo.Model) { redraw(r, c.Values("model.layers.0.self_attn.o_proj.weight")) }, "nothing"},
	} {
		b := m.Clone()
		c.change(b)
		for test, effect := range effects(t, m, b) {
			if strings.HasPrefix(test, c.altered) {
				require.Less(t, effect, 0.95, "%s: %s", c.name, test)
			} else {
				require.InDelta(t, 1, effect, 1e-4, "%s: %s", c.name, test)
			}
		}
	}
}

func redraw(r *rand.Rand, v []float32) {
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
}

// Independent networks share none of them. Heads are matched for likeness, so
// sizes and spectra lie above zero.
func TestStrangers(t *testing.T) {
	for seed := range uint64(4) {
		for test, effect := range effects(t, network(seed), network(100+seed)) {
			most := map[string]float64{"qk-phases": 0.1, "token-gram": 0.05, "token-signs": 0.05, "token-gram-used": 0.05, "qk-sizes": 0.4, "ov-spectra": 0.8}[test]
			require.Less(t, effect, most, test)
		}
	}
}

// The spectrum of a head is that of its O·V, multiplied out.
func TestSpectraAreThoseOfTheProduct(t *testing.T) {
	m := network(2)
	zoo.FoldGains(m) // so that values are what they are stored as
	const hidden, d = 64, 16
	v, o := m.Values("model.layers.1.self_attn.v_proj.weight"), m.Values("model.layers.1.self_attn.o_proj.weight")
	for h := range shape.Heads {
		product := make([]float64, hidden*hidden)
		for i := range hidden {
			for j := range hidden {
				for c := range d {
					product[i*hidden+j] += float64(o[i*shape.Heads*d+h*d+c]) * float64(v[(h/2*d+c)*hidden+j])
				}
			}
		}
		want, err := linalg.SingularValues(product, hidden, hidden)
		require.NoError(t, err)
		got, err := calibrated.Spectra(context.Background(), d, roles.Map(m).Towers[0].Layers[1])
		require.NoError(t, err)
		for k := range d {
			require.InDelta(t, math.Log(want[k]), got[h].Sizes[d-1-k], 1e-3, fmt.Sprintf("head %d, value %d", h, k))
		}
	}
}

// Heads that were put in another order are found, each once.
func TestResemblance(t *testing.T) {
	m := network(3)
	layer := func(m *zoo.Model) []calibrated.Head {
		tower := roles.Map(m).Towers[0]
		heads, err := calibrated.Planes(context.Background(), tower, tower.Layers[1], []int{0, 1, 2, 3, 4, 5, 6, 7})
		require.NoError(t, err)
		return heads
	}
	a := layer(m)
	zoo.TurnQK(rand.New(rand.NewPCG(1, 1)), m)
	b := layer(m)
	for h := range a {
		require.InDeltaSlice(t, a[h].Sizes, b[h].Sizes, 1e-3)
		for k, z := range a[h].Phases {
			require.InDelta(t, 0, real(z-b[h].Phases[k]), 5e-3)
		}
	}
	size, phase, n := calibrated.Resemblance(a, []calibrated.Head{b[5], b[2]})
	require.Equal(t, 2, n)
	require.Greater(t, phase, 0.999)
	require.Greater(t, size, 0.5, "centred over other heads")
	_, _, n = calibrated.Resemblance(nil, b)
	require.Zero(t, n)
}
