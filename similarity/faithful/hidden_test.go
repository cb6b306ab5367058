package faithful_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// What was quantised honestly never deviates, whatever is hidden of it.
func TestHonestBlocksNeverDeviate(t *testing.T) {
	rows, seeds := 2, uint64(len(weights))
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		rows, seeds = 12, 5*uint64(len(weights))
	}
	for _, ty := range judged {
		t.Run(ty.t.String(), func(t *testing.T) {
			counted := [5]int64{}
			for seed := range seeds {
				const cols = 1024
				r := rand.New(rand.NewPCG(seed, 5))
				x := weights[seed%uint64(len(weights))].make(r, rows, cols)
				var w []float32
				if ty.may {
					w = importances(r, cols)
				}
				codec, _ := ty.t.Codec()
				size := cols / codec.BlockValues * codec.BlockBytes
				raw := make([]byte, rows*size)
				for i := range rows {
					quant.Requantisers[ty.t.String()](raw[i*size:][:size], x[i*cols:][:cols], w)
				}
				out, err := faithful.Judge(t.Context(), faithful.Pair{Quantised: matrix(t, ty.t, raw, rows, cols), Source: matrix(t, tensor.F32, floats(x), rows, cols)}, faithful.Options{})
				require.NoError(t, err)
				require.Zero(t, out.Blocks[faithful.Deviates], "%v seed %d: %v", ty.t, seed, out.Deviations)
				for g, n := range out.Blocks {
					counted[g] += n
				}
			}
			t.Log(counted)
		})
	}
}
