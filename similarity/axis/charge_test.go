package axis

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

// MLP axes carry what choosing the layers costs; others, whose units chose nothing,
// do not.
func TestAxesCarryTheCharge(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 3))
	s := zoo.Shape{Layers: 3, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}
	p := align.NewPair(align.NewSubject("a", zoo.Random(r, s, zoo.Quirks{}), nil), align.NewSubject("b", zoo.Random(r, s, zoo.Quirks{}), nil), []byte("seed"), align.NoLimit)
	p.Follow(0, []align.LayerPair{{A: 1, B: 0}, {A: 0, B: 1}}, nil)
	axes, err := Read(t.Context(), p, 0)
	require.NoError(t, err)
	seen := map[string]int{}
	for _, x := range axes {
		want := p.Towers[0].Charge()
		if x.Component != "mlp" {
			want = 0
		}
		require.Equal(t, want, x.Charge, x.Name)
		seen[x.Component]++
	}
	require.Equal(t, 2, seen["mlp"])
	require.NotZero(t, seen["attention"])
	require.NotZero(t, p.Towers[0].Charge())
}
