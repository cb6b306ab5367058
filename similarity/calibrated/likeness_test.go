package calibrated_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

func likenessOf(t *testing.T, a, b *zoo.Model) similarity.Evidence {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, []*similarity.Test{calibrated.Likeness(1)})
	require.NoError(t, err)
	return all[0]
}

// A network that was spliced from two is more alike to either, in the layers that are
// that one's, than arranging makes any; where all layers are alike a little, none are
// chosen.
func TestLikenessOfSomeLayers(t *testing.T) {
	shape := zoo.Shape{Layers: 6, Hidden: 64, Width: 256, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200, Untied: true}
	a, b := zoo.Random(rand.New(rand.NewPCG(1, 1)), shape, zoo.Quirks{}), zoo.Random(rand.New(rand.NewPCG(2, 1)), shape, zoo.Quirks{})
	stranger := likenessOf(t, a, b)
	require.Equal(t, "mlp (raw)", stranger.Axis)
	require.Less(t, stranger.Effect, stranger.Statistic)

	spliced := b.Clone()
	for _, l := range []int{2, 3} {
		for _, part := range []string{"gate", "up", "down"} {
			name := fmt.Sprintf("model.layers.%d.mlp.%s_proj.weight", l, part)
			copy(spliced.Values(name), a.Values(name))
		}
	}
	e := likenessOf(t, a, spliced)
	require.Equal(t, "mlp (raw, the 2 of 6 axes most alike)", e.Axis)
	require.InDelta(t, 1, e.Effect, 1e-6)
	require.Less(t, e.Statistic, 1.0)
	require.Greater(t, e.Statistic, stranger.Statistic, "fewer layers are more easily arranged")
	require.Less(t, e.N, stranger.N)
	require.Equal(t, "mlp (raw)", likenessOf(t, a, a.Clone()).Axis)
}
