//go:build !purego

package dense

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A processor without AVX2 gives the same bits.
func TestNarrowFillEqualsWide(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for d := 1; d < 50; d++ {
		values := random(r, (tileRows+tileCols)*d)
		var rows [tileRows][]float32
		for i := range rows {
			rows[i] = values[i*d : (i+1)*d]
		}
		var narrow, plain tile
		narrow.fillNarrow(&rows, values[tileRows*d:])
		plain.fillPlain(&rows, values[tileRows*d:])
		for i := range plain {
			require.Equal(t, math.Float32bits(plain[i]), math.Float32bits(narrow[i]), "depth %d, result %d", d, i)
		}
	}
}
