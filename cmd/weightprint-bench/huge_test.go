package main

import (
	"context"
	"io"
	"math"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/zoo"
)

var tinyMixture = zoo.Mixture{Layers: 2, Hidden: 32, Heads: 2, KVHeads: 1, HeadDim: 16, Experts: 4, Width: 8, Shared: 8, Vocab: 64}

// A model that is served by its seeds is opened by its shards, has the values that were
// drawn, and may be read at any offset.
func TestServedModel(t *testing.T) {
	specs, meta := tinyMixture.Specs()
	a, b := zoo.NewDrawn(specs, meta, 1, 2, 0.1), zoo.NewDrawn(specs, meta, 1, 3, 0.1)
	merged := zoo.NewMixed(specs, meta, a, b, hugeShare)
	files, err := shardsOf(merged, specs, 5, tinyMixture)
	require.NoError(t, err)
	web := httptest.NewServer(&hugeServer{models: map[string]*hugeFiles{"merged": files}})
	defer web.Close()
	ctx := context.Background()
	c, err := formats.Open(ctx, web.URL+"/merged/", &formats.Options{AllowPrivate: true})
	require.NoError(t, err)
	defer c.Close()
	require.Len(t, c.Files(), 5)
	require.Len(t, c.Tensors(), len(specs))
	tokens, err := c.Vocabulary(ctx)
	require.NoError(t, err)
	require.Len(t, tokens, tinyMixture.Vocab)
	for _, s := range specs {
		got, _ := c.Tensor(s.Name)
		x, y := drawnOf(t, a, s.Name), drawnOf(t, b, s.Name)
		v := make([]float32, got.Len())
		require.NoError(t, got.Data.ReadValues(ctx, v, 0))
		for i := range v {
			require.InDelta(t, 0.6*float64(x[i])+0.4*float64(y[i]), float64(v[i]), math.Abs(float64(v[i]))/256+1e-9, "half a step of bf16")
		}
	}
	for _, f := range files.files {
		whole := make([]byte, f.size())
		_, err := io.ReadFull(io.NewSectionReader(f, 0, f.size()), whole)
		require.NoError(t, err)
		for off := range min(int64(301), f.size()) {
			part := make([]byte, min(77, f.size()-off))
			_, err := f.ReadAt(part, off)
			require.NoError(t, err)
			require.Equal(t, whole[off:off+int64(len(part))], part)
		}
		_, err = f.ReadAt(make([]byte, 1), f.size())
		require.ErrorIs(t, err, io.EOF)
	}
	require.Positive(t, files.sent.Load())
}

func drawnOf(t *testing.T, m *zoo.Drawn, name string) []float32 {
	x, ok := m.Tensor(name)
	require.True(t, ok)
	v := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(context.Background(), v, 0))
	return v
}

// The huge mixture has as many parameters as it says.
func TestHugeIsHuge(t *testing.T) {
	specs, _ := zoo.Huge.Specs()
	n := int64(0)
	for _, s := range specs {
		k := int64(1)
		for _, d := range s.Shape {
			k *= d
		}
		n += k
	}
	require.InDelta(t, 397e9, float64(n), 1e9)
	require.Greater(t, len(specs), 92_000)
}
