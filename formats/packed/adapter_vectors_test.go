package packed_test

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func open(t testing.TB, path string) *formats.Checkpoint {
	c, err := formats.Open(context.Background(), path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// Every adapter gives what PEFT's merging in float64 gives, or the formula of
// its format where PEFT does not write it, rounded once.
func TestAdapterVectors(t *testing.T) {
	folders, err := filepath.Glob("testdata/adapters/*/expected.f32")
	require.NoError(t, err)
	require.Len(t, folders, 9)
	base := open(t, "testdata/adapters/base")
	for _, path := range folders {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			a := open(t, folder)
			require.True(t, packed.IsAdapter(a))
			m, err := packed.NewAdapter(base, a)
			require.NoError(t, err)
			all := slices.SortedFunc(slices.Values(m.Tensors()), func(x, y *tensor.Tensor) int { return cmp.Compare(x.Name, y.Name) })
			floats := vectors.Floats(t, path)
			changed := 0
			for _, x := range all {
				values, before := make([]float32, x.Len()), make([]float32, x.Len())
				require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
				vectors.Equal(t, floats[:len(values)], values, x.Name)
				floats = floats[len(values):]
				old, ok := base.Tensor(x.Name)
				require.True(t, ok)
				require.NoError(t, old.Data.ReadValues(context.Background(), before, 0))
				if !slices.Equal(before, values) {
					changed++
				}
				for first := range values { // in any pieces
					n := min(7, len(values)-first)
					part := make([]float32, n)
					require.NoError(t, x.Data.ReadValues(context.Background(), part, int64(first)))
					require.Equal(t, values[first:first+n], part)
				}
			}
			require.Empty(t, floats)
			require.Equal(t, changed, len(m.Targets)+len(m.Saved))
		})
	}
	require.False(t, packed.IsAdapter(base))
}
