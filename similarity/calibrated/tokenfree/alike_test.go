package tokenfree

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/rng"
)

// What is refuted by a few likenesses is what whole tables of both groups refute, ties
// and values that are rounded among them.
func TestAlikeCountsAsWholeTablesDo(t *testing.T) {
	r := rng.New(nil, "alike layers")
	for _, c := range []struct {
		na, nb, count, same int
		values              uint64
	}{{40, 300, 3, 20, 7}, {700, 150, 6, 90, 7}, {64, 64, 4, 64, 2}, {17, 33, 2, 5, 3}, {50, 50, 3, 0, 1}, {300, 200, 21, 120, 1 << 22}, {90, 90, 33, 90, 1 << 22}} {
		draw := func(n int) *signature {
			x := make([]float32, n*c.count)
			for i := range x {
				x[i] = float32(int64(r.Uint64()%c.values) - int64(c.values/2)) // ties are frequent where values are few
			}
			return &signature{units: n, count: c.count, values: x}
		}
		a, b := signed{units: c.na}, signed{units: c.nb}
		for g := range 2 {
			a.groups[g], b.groups[g] = draw(c.na), draw(c.nb)
			copy(b.groups[g].values, a.groups[g].values[:min(c.same, c.na, c.nb)*c.count])
		}
		var found [2][]int
		want := 0
		for g := range found {
			ea, eb, ok := flattened(a.groups[g], b.groups[g])
			require.Equal(t, c.values > 1, ok, "values that are all zero span nothing")
			if ok {
				found[g] = nearest(eb, ea, c.nb, c.na, c.count)
			}
		}
		for j, i := range found[0] {
			if i >= 0 && found[1][j] == i {
				want++
			}
		}
		require.Equal(t, want, alike(a, b), "%+v", c)
		if c.same > 10 && c.values > 2 {
			require.Greater(t, want, 5)
		}
	}
}
