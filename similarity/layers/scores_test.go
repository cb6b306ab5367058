package layers

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Units of wide layers are seen through as many tokens as the work allows, those of others
// through all.
func TestTokensWithinWork(t *testing.T) {
	p := &align.Pair{Seed: []byte{1}}
	tower := align.TowerPair{B: &roles.Tower{Name: "main"}}
	for _, c := range []struct{ layers, hidden, tokens, want int }{
		{6, 256, 512, 512},
		{22, 2048, 512, 186},
		{80, 8192, 512, fewestTokens},
		{80, 8192, 100, 100},
	} {
		side := make([]axis.Rows, c.layers)
		for i := range side {
			side[i] = axis.Rows{N: scoreUnits, Dim: c.hidden}
		}
		at := (&Scores{}).throughTokens(p, tower, side, side, c.tokens)
		require.Len(t, at, c.want)
		require.IsIncreasing(t, append(at, c.tokens))
		if c.want > fewestTokens && c.want < c.tokens {
			require.LessOrEqual(t, 2*c.layers*scoreUnits*c.hidden*c.want, scoreWork)
		}
	}
}
