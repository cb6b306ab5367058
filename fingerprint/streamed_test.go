package fingerprint_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
)

// A digest taken along while somebody reads is that of a pass of its own, however
// the values are handed over.
func TestStreamedDigestIsThatOfAPass(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][]int64{{}, {0}, {7}, {3, 5}, {64, 100}, {3, 5000}, {2, 1<<20 + 3}, {9, 0, 4}} {
		n, _ := tensor.Elements(shape)
		v := make(tensor.Values, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
			if i%7 == 0 {
				v[i] = float32(math.NaN())
			}
		}
		x := &tensor.Tensor{Name: "x", DType: tensor.F32, Shape: shape, Data: v}
		want, err := fingerprint.Values(t.Context(), x)
		require.NoError(t, err)
		s := fingerprint.NewStreamed(x)
		for left := v; len(left) > 0; {
			_, ok := s.Digest()
			require.False(t, ok, "values are missing")
			k := min(len(left), 1+r.IntN(70_000))
			s.Add(left[:k])
			left = left[k:]
		}
		got, ok := s.Digest()
		require.True(t, ok)
		require.Equal(t, want, got, "%v", shape)
	}
	require.Nil(t, fingerprint.NewStreamed(&tensor.Tensor{DType: tensor.F64, Shape: []int64{2}}), "float32 may not hold the values")
}

// A root does not depend on which digests were known before.
func TestRootWithKnownDigests(t *testing.T) {
	var m tensor.Tensors
	known := map[*tensor.Tensor]*fingerprint.Digest{}
	for i, name := range []string{"a", "b", "c"} {
		m = append(m, &tensor.Tensor{Name: name, DType: tensor.F32, Shape: []int64{4}, Data: tensor.Values{float32(i), 1, 2, 3}})
	}
	want, err := fingerprint.Root(t.Context(), m)
	require.NoError(t, err)
	for _, x := range m {
		d, err := fingerprint.Values(t.Context(), x)
		require.NoError(t, err)
		known[x] = &d
		got, err := fingerprint.RootWith(t.Context(), m, known)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	known[m[0]] = &fingerprint.Digest{1}
	got, err := fingerprint.RootWith(t.Context(), m, known)
	require.NoError(t, err)
	require.NotEqual(t, want, got, "known digests are used")
}
