package delta_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Matrices that hold nothing learned are told from trained ones, and copied
// rows from rows that are only alike.
func TestUntrainedAndRepeated(t *testing.T) {
	const n, d = 256, 96
	matrix := func(x []float32) *roles.Matrix {
		m := model{plain("model.embed_tokens.weight", tensor.F32, encoders[tensor.F32](x), n, d)}
		return pairOf(m, m).Match().Matrices[0].B
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0x960))
		trained, other := vocabulary(r, n, d), vocabulary(r, n, d)
		noise := make([]float32, n*d)
		for i := range noise {
			noise[i] = float32(r.NormFloat64())
		}
		copied := append([]float32(nil), trained...)
		copy(copied[(n-20)*d:], copied[:20*d])
		for _, c := range []struct {
			name                 string
			x                    []float32
			untrained, structure bool
			repeats              bool
		}{
			{"trained", trained, false, true, false},
			{"noise", noise, true, false, false},
			{"zero", make([]float32, n*d), true, false, false},
			{"rows copied", copied, false, true, true},
		} {
			ctx, m := context.Background(), matrix(c.x)
			got, err := delta.Untrained(ctx, m, matrix(other), []byte{1})
			require.NoError(t, err)
			require.Equal(t, c.untrained, got, "%s, seed %d", c.name, seed)
			got, err = delta.Structured(ctx, m, []byte{1})
			require.NoError(t, err)
			require.Equal(t, c.structure, got, "%s, seed %d", c.name, seed)
			got, err = delta.Repeats(ctx, m, 1, []byte{1})
			require.NoError(t, err)
			require.Equal(t, c.repeats, got, "%s, seed %d", c.name, seed)
		}
	}
}
