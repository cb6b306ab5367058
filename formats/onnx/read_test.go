package onnx

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func load(t testing.TB, name string) (*File, error) {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return read(b, filepath.Dir(name))
}

// read reads a model whose files lie in a folder.
func read(b []byte, dir string) (*File, error) {
	return Read(context.Background(), "model.onnx", bytes.NewReader(b), int64(len(b)), &Options{Beside: func(name, field string) (io.ReaderAt, int64, string, error) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, 0, "", tensor.Errorf(os.ErrNotExist, name, -1, field, "%v", err)
		}
		return bytes.NewReader(b), int64(len(b)), name, nil
	}})
}

// exact lists the tensors of a model that the reference gives no values for.
func expected(t testing.TB, name string) (want []formatstest.Expected, floats []float32) {
	vectors.JSON(t, "testdata/"+name+".json", &want)
	return want, vectors.Floats(t, "testdata/"+name+".f32")
}

// Every value is what the exported module holds or the operators compute.
func TestReference(t *testing.T) {
	for _, c := range []struct {
		name string
		more int // tensors that the reference gives no values for
	}{
		{"script", 0}, {"dynamo", 0}, {"external", 0}, {"types", 0}, {"linear", 0}, {"recurrent", 0},
		{"nbits4", 0}, {"nbits4-zeros", 0}, {"nbits8", 0},
	} {
		m, err := load(t, "testdata/"+c.name+".onnx")
		require.NoError(t, err, c.name)
		formatstest.Model(t, m)
		want, floats := expected(t, c.name)
		for _, w := range want {
			x, ok := m.Tensor(w.Name)
			require.True(t, ok, "%s: %s", c.name, w.Name)
			require.Equal(t, w.Shape, x.Shape, "%s: %s", c.name, w.Name)
			require.Equal(t, w.DType, x.DType.String(), "%s: %s", c.name, w.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
			vectors.Equal(t, floats[:len(values)], values, c.name+": "+w.Name)
			floats = floats[len(values):]
		}
		require.Empty(t, floats)
		require.Len(t, m.Tensors(), len(want)+c.more, c.name)
		require.Empty(t, m.Warnings, c.name)
	}
}
