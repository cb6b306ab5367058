package equality_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/equality"
)

// stored lists one run of bytes under several names.
func stored(seed int, names ...string) (out memory) {
	v := drawn("w", tensor.F32, seed, 6, 6).Data.(values)
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	r := bytes.NewReader(b)
	for _, n := range names {
		out = append(out, &tensor.Tensor{Name: n, DType: tensor.F32, Shape: []int64{6, 6}, Data: &tensor.Stored{R: r, Bytes: int64(len(b)), DType: tensor.F32}})
	}
	return out
}

// A weight that modules share is stored once, and is one weight; a layer that is
// applied twice is two layers, and equal values that are stored twice are two weights.
func TestMatchTwins(t *testing.T) {
	for _, c := range []struct {
		a    memory
		want bool
	}{
		{stored(1, "conv1.weight", "sequential.0.weight"), true},
		{stored(1, "sequential.0.weight", "conv1.weight"), true},
		{stored(1, "layers.0.weight", "layers.1.weight"), false},
		{append(stored(1, "conv1.weight"), stored(1, "sequential.0.weight")...), false},
		{append(stored(1, "conv1.weight"), stored(2, "fc.weight", "head.weight")...), false},
	} {
		b := stored(1, "conv1.weight")
		one, err := equality.Match(t.Context(), c.a, b, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, one.Whole(), "%s, %s", c.a[0].Name, c.a[1].Name)
		other, err := equality.Match(t.Context(), b, c.a, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, other.Whole(), "%s, %s", c.a[0].Name, c.a[1].Name)
	}
}
