package tested

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
)

// turnedLayers is a child of a network, with its layers in the reverse order.
func turnedLayers(r *rand.Rand, m *zoo.Model) *zoo.Model {
	child := m.Clone()
	name := strings.NewReplacer(".0.", ".3.", ".1.", ".2.", ".2.", ".1.", ".3.", ".0.")
	for _, x := range m.Tensors() {
		to := child.Values(name.Replace(x.Name))
		for i, v := range m.Values(x.Name) {
			to[i] = v * float32(1+0.1*r.NormFloat64())
		}
	}
	return child
}

// Tests whose results were given up because the layers were paired anew are looks all
// the same: what is found afterwards is corrected for them.
func TestSecondPairingPaysForTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 192, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 300}
	a := zoo.Random(r, s, zoo.Quirks{})
	sides := [2]aligned.Side{{Ref: "a", Model: a}, {Ref: "b", Model: turnedLayers(r, a)}}
	v, err := read.Once(t.Context(), planned.Of(aligned.New(sides, ""), planned.Extent{Budget: align.NoLimit}))
	require.NoError(t, err)
	x := &trial{Values: v, policy: verdict.Policy{}.WithDefaults()}
	require.NoError(t, x.look(t.Context(), 0))
	first := x.Facts.ExactTests()
	require.Greater(t, first, 4)
	require.Zero(t, x.Facts.Spent)
	require.NoError(t, x.relook(t.Context()))
	require.Equal(t, []align.LayerPair{{A: 3, B: 0}, {A: 2, B: 1}, {A: 1, B: 2}, {A: 0, B: 3}}, x.Towers[0].Layers)
	require.Equal(t, first, x.Facts.Spent)
	require.Greater(t, x.Facts.ExactTests(), first, "they count with those of the second pairing")
}
