package exact_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact"
)

// The power that is stated is that of children with the cosine it is stated for.
func TestPower(t *testing.T) {
	const cosine = 0.3
	r := rand.New(rand.NewPCG(6, 1))
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 200}
	a, b := zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{})
	for _, x := range a.Tensors() {
		if child := b.Values(x.Name); len(x.Shape) == 2 {
			for k, v := range a.Values(x.Name) {
				child[k] = cosine*v + float32(0.9539392)*child[k]
			}
		}
	}
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	axes, err := axis.Read(context.Background(), p, 0)
	require.NoError(t, err)
	var mlp []*axis.Axis
	found := 0
	for _, x := range axes {
		if x.Component != "mlp" {
			continue
		}
		mlp = append(mlp, x)
		v, n := x.Views[0], len(x.A.Units) // one view, as the power assumes
		for j := range n {
			row := v.Cosine[j*n : (j+1)*n]
			if row[j] == slices.Max(row) {
				found++
			}
		}
	}
	require.Len(t, mlp, 4)
	power := exact.FixedPointPower(mlp, cosine, -20)
	require.Equal(t, 4, power.Axes)
	require.Equal(t, 256, power.Units)
	require.InDelta(t, float64(found), power.Expected, 30, fmt.Sprint(power))
	require.True(t, power.Reached)
	require.False(t, exact.FixedPointPower(mlp, 0.02, -20).Reached)
	require.False(t, exact.FixedPointPower(nil, cosine, -20).Reached)
}
