package equality_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Of models that are compared many times each is read once, and what is found is the same.
func TestKeepingReadsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0x4e9))
	base := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 48, Width: 96, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 128, Untied: true}, zoo.Quirks{Gains: 0.2})
	other := base.Clone()
	name := "model.layers.1.mlp.up_proj.weight"
	for i, v := range base.Values(name) {
		other.Values(name)[i] = -v
	}
	match := func(ctx context.Context) (names []string, only string, spent int64) {
		a, b := align.NewAccount(base), align.NewAccount(other)
		c, err := equality.Match(ctx, a, b, nil)
		require.NoError(t, err)
		for _, p := range c.Pairs {
			_, here := a.Tensor(p.A.Name)
			require.True(t, here)
			require.NotNil(t, a.Original(p.A), "a tensor of another comparison")
			require.NotNil(t, b.Original(p.B), "a tensor of another comparison")
			names = append(names, p.A.Name+" "+p.B.Name)
		}
		require.Len(t, c.OnlyB, 1)
		return names, c.OnlyB[0].Name, a.Spent() + b.Spent()
	}
	names, only, all := match(t.Context())
	require.Equal(t, name, only)
	ctx := equality.Keeping(t.Context())
	for turn, most := range []int64{all, 0} {
		again, alone, spent := match(ctx)
		require.Equal(t, names, again)
		require.Equal(t, only, alone)
		require.LessOrEqual(t, spent, most, "turn %d", turn)
	}
	require.Positive(t, all)
	require.Nil(t, align.NewAccount(base).Original(&tensor.Tensor{Name: name}))
}
