package fingerprint_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
)

func model(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 3, Hidden: 64, Width: 128, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 100, Untied: true}
	return zoo.Random(rand.New(rand.NewPCG(seed, 1)), s, zoo.Quirks{})
}

func print(t testing.TB, m *zoo.Model, o *fingerprint.Options) *fingerprint.Fingerprint {
	t.Helper()
	f, err := fingerprint.Compute(context.Background(), m, o)
	require.NoError(t, err)
	return f
}

func encode(t testing.TB, f *fingerprint.Fingerprint) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := f.WriteTo(&b)
	require.NoError(t, err)
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, o := range []*fingerprint.Options{nil, {SketchOnly: true}} {
		f := print(t, model(1), o)
		b := encode(t, f)
		got, err := fingerprint.Decode(b)
		require.NoError(t, err)
		require.Equal(t, b, encode(t, got))
		require.NotEmpty(t, got.Sketches)
		require.Equal(t, o == nil, got.Complete)
	}
}

// The root in a file is that of fingerprint.Root.
func TestRootAgrees(t *testing.T) {
	m := model(2)
	root, err := fingerprint.Root(context.Background(), m)
	require.NoError(t, err)
	require.Equal(t, root, print(t, m, nil).Root)
}

func TestEveryFlippedByteAndTruncationIsFound(t *testing.T) {
	for seed := range uint64(3) {
		b := encode(t, print(t, model(seed), nil))
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << (i % 8)
			_, err := fingerprint.Decode(bad)
			require.Error(t, err, "byte %d", i)
			_, err = fingerprint.Decode(b[:i])
			require.Error(t, err, "cut at %d", i)
		}
	}
}

func TestFutureVersionIsRefused(t *testing.T) {
	b := encode(t, print(t, model(1), nil))
	b[8] = 2
	_, err := fingerprint.Decode(b)
	require.ErrorIs(t, err, fingerprint.ErrVersion)
}

func TestVerify(t *testing.T) {
	f := print(t, model(1), nil)
	d, err := f.Verify(context.Background(), model(1))
	require.NoError(t, err)
	require.Nil(t, d)
	d, err = f.Verify(context.Background(), model(2))
	require.NoError(t, err)
	require.NotNil(t, d)
	require.Contains(t, d.What, "values of rows 0 to")
}

// TestFileIsKept pins version 1: these bytes must be made, and read, for ever.
func TestFileIsKept(t *testing.T) {
	f := print(t, model(7), nil)
	h := print(t, model(7), nil).Root
	require.Equal(t, f.Root, h)
	require.Equal(t, golden, hex.EncodeToString(f.Root[:8]))
	last := encode(t, f)
	require.Equal(t, goldenFile, hex.EncodeToString(last[len(last)-8:]))
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, print(f, model(1), nil)))
	f.Add(encode(f, print(f, model(1), &fingerprint.Options{SketchOnly: true})))
	f.Add([]byte("WPRINT\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := fingerprint.Decode(b); err == nil {
			require.Equal(t, b, encode(t, p))
		}
	})
}

func BenchmarkCompute(b *testing.B) {
	m := model(1)
	n := int64(0)
	for _, t := range m.Tensors() {
		n += t.StoredBytes()
	}
	b.SetBytes(n)
	for b.Loop() {
		print(b, m, nil)
	}
}
