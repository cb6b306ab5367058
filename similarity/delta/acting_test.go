package delta

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Scaling rows, and moving gains into columns, leaves columns as they act; columns scaled
// by themselves are others. Values may be mixed within a head, and are not asked.
func TestActing(t *testing.T) {
	const rows, cols = 40, 24
	r := rand.New(rand.NewPCG(11, 1))
	gains := make([]float32, cols)
	ones, other := make([]float32, cols), make([]float32, cols)
	for k := range gains {
		gains[k], ones[k], other[k] = float32(math.Exp(0.4*r.NormFloat64())), 1, float32(math.Exp(0.4*r.NormFloat64()))
	}
	a, moved, put := make([]float32, rows*cols), make([]float32, rows*cols), make([]float32, rows*cols)
	for i := range rows {
		scale := float32(math.Exp(2 * r.NormFloat64()))
		for k := range cols {
			v := float32(r.NormFloat64())
			a[i*cols+k], moved[i*cols+k], put[i*cols+k] = v, scale*v*gains[k], v*other[k]/gains[k]
		}
	}
	asked := func(role string, b, gain []float32) Acting {
		x := newActing(role, [2][]float32{gains, gain})
		for first := 0; first < rows; first += 8 { // in steps
			x.add(a[first*cols:(first+8)*cols], b[first*cols:(first+8)*cols])
		}
		return x.result()
	}
	for _, role := range []string{"layers.0.mlp.up", "layers.3.attn.q", "layers.1.experts.2.gate"} {
		same := asked(role, moved, ones)
		require.Equal(t, cols, same.Columns)
		require.InDelta(t, 1, same.Correlation, 1e-6)
		require.Less(t, asked(role, put, gains).Correlation, 0.5, "the gains of the other")
	}
	require.Zero(t, asked("layers.0.attn.v", moved, ones))
	require.Zero(t, newActing("layers.0.mlp.up", [2][]float32{}).result())
}
