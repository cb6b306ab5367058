package forward

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
)

// golden is what transformers gives for a model of testdata.
type golden struct {
	Text   [][]int   `json:"text"`
	Output []float64 `json:"output"`
}

func openGolden(t *testing.T, name string) (*Model, golden) {
	t.Helper()
	dir := filepath.Join("testdata", name)
	c, err := formats.Open(t.Context(), dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	raw, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(raw, &g))
	m, err := New(roles.Map(c), c.Metadata())
	require.NoError(t, err)
	return m, g
}

func output(ctx context.Context, t *testing.T, m *Model, texts [][]int, v ...Variant) []float32 {
	t.Helper()
	p, err := m.Run(ctx, texts, v, nil)
	require.NoError(t, err)
	if !m.Scores() {
		return p.Hidden
	}
	out, err := p.Logits(ctx)
	require.NoError(t, err)
	return out
}

// The outputs are those of transformers to 1e-4 of their size. testdata/golden.py
// makes the models and says which options they exercise.
func TestOutputsAreThoseOfTransformers(t *testing.T) {
	models, err := filepath.Glob(filepath.Join("testdata", "*", "golden.json"))
	require.NoError(t, err)
	require.Len(t, models, 17)
	for _, path := range models {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			m, g := openGolden(t, name)
			got := output(t.Context(), t, m, g.Text, nil)
			require.Len(t, got, len(g.Output))
			size, off := 0.0, 0.0
			for i, want := range g.Output {
				size = math.Max(size, math.Abs(want))
				off = math.Max(off, math.Abs(want-float64(got[i])))
			}
			require.Less(t, off/size, 1e-4)
			t.Logf("off by %.1e of the largest score", off/size)
		})
	}
}

// A variant that misses nothing gives the bits of the network as it is, beside
// others and for any number of workers.
func TestBitsDependOnNothingElse(t *testing.T) {
	m, g := openGolden(t, "gemma2")
	want := output(t.Context(), t, m, g.Text, nil)
	for _, workers := range []int{1, 3} {
		old := runtime.GOMAXPROCS(workers)
		all := output(t.Context(), t, m, g.Text, Variant{0: {MLP: true}}, nil, Variant{1: {Attention: true}})
		runtime.GOMAXPROCS(old)
		require.Equal(t, want, all[len(want):2*len(want)])
		require.NotEqual(t, want, all[:len(want)])
		require.NotEqual(t, want, all[2*len(want):])
	}
}
