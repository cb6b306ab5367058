package tokenfree_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
)

// Matrices of a disguised copy whose names were exchanged, for each layer anew, are put
// back into their roles, with noise as well; of two views and of three.
func TestOrdersOfMisnamedMatrices(t *testing.T) {
	for _, gated := range []bool{true, false} {
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, 0x0de))
			a := random(r, 4, 200, 48, gated)
			b := disguised(r, a, 0.05)
			arrangements := tokenfree.Arrangements(len(a[0].Views()))
			var put [][]int
			for i := range b {
				order := arrangements[r.IntN(len(arrangements))]
				put = append(put, order)
				views, placed := b[i].Views(), b[i].Views()
				for k, from := range order {
					placed[from].Rows = views[k].Rows
				}
				first := len(b[i].First)
				b[i].First, b[i].Second = placed[:first], placed[first:]
			}
			require.Equal(t, put, tokenfree.Orders(t.Context(), a, b, nil), "seed %d, gated %v", seed, gated)
		}
	}
}

func TestOrdersOfNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	require.Nil(t, tokenfree.Orders(t.Context(), nil, nil, nil))
	require.Nil(t, tokenfree.Orders(t.Context(), random(r, 2, 20, 8, true), random(r, 2, 20, 8, false), nil))
}
