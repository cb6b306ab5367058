package exact_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Power is reached where 99 of 100 children would be found, not where the one that
// shows as many fixed points as expected is.
func TestPowerHasAMargin(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 2))
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200}
	p := align.NewPair(align.NewSubject("a", zoo.Random(r, s, zoo.Quirks{}), nil), align.NewSubject("b", zoo.Random(r, s, zoo.Quirks{}), nil), []byte("seed"), align.NoLimit)
	axes, err := axis.Read(t.Context(), p, 0)
	require.NoError(t, err)
	const cosine = 0.15
	power := exact.FixedPointPower(axes, cosine, 0)
	expected := int(power.Expected)
	require.Greater(t, expected, 20)
	level := func(count int) stats.LogP { return stats.FixedPoints(count, power.Axes) }
	require.False(t, exact.FixedPointPower(axes, cosine, level(expected)).Reached, "half of the children would not be found")
	require.True(t, exact.FixedPointPower(axes, cosine, level(expected/2)).Reached)
}
