package torch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "test.pt", bytes.NewReader(b), int64(len(b)), nil)
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// vector is what torch itself says of one of its files.
type vector struct {
	File    string
	Tensors []formatstest.Expected
}

// check compares a model with what torch says, bit for bit.
func (v vector) check(t testing.TB, m tensor.Model, floats []float32) {
	t.Helper()
	formatstest.Model(t, m)
	require.Len(t, m.Tensors(), len(v.Tensors))
	for _, w := range v.Tensors {
		x, ok := m.Tensor(w.Name)
		require.True(t, ok, w.Name)
		require.Equal(t, w.Shape, x.Shape, w.Name)
		require.Equal(t, w.DType, x.DType.String(), w.Name)
		raw := make([]byte, x.StoredBytes())
		require.NoError(t, x.Data.(*tensor.Stored).ReadRaw(raw, 0), w.Name)
		sum := sha256.Sum256(raw)
		require.Equal(t, w.RawSHA, hex.EncodeToString(sum[:]), "%s: bytes in logical order", w.Name)
		values := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), values, 0), w.Name)
		vectors.Equal(t, floats[:len(values)], values, w.Name)
		floats = floats[len(values):]
	}
	require.Empty(t, floats)
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 35)
	for _, path := range files {
		var v vector
		vectors.JSON(t, path, &v)
		t.Run(v.File, func(t *testing.T) {
			f, err := read(load(t, filepath.Join("testdata", v.File)))
			require.NoError(t, err)
			t.Log(f.Warnings, f.Metadata())
			v.check(t, f, vectors.Floats(t, path[:len(path)-len("json")]+"f32"))
		})
	}
}
