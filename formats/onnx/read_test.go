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

// expected is what the reference says of a model.
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
		{"nbits4", 0}, {"nbits4-zeros", 0}, {"nbits8", 0}, {"directions", 2}, {"directions-channels", 2},
		{"sklearn", 0}, {"vectors", 2},
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

// names lists tensors and their types.
func names(m *File) (out []string) {
	for _, x := range m.Tensors() {
		out = append(out, x.Name+" "+x.DType.String())
	}
	return out
}

// Quantised models give the numbers that their integers stand for, under the
// names that the modules have for them; all else is as it was.
func TestQuantised(t *testing.T) {
	for _, c := range []struct{ name, of string }{{"dynamic", "script"}, {"dynamic-channels", "script"}, {"qdq", "vision"}, {"qoperator", "vision"}} {
		m, err := load(t, "testdata/"+c.name+".onnx")
		require.NoError(t, err, c.name)
		formatstest.Model(t, m)
		from, err := load(t, "testdata/"+c.of+".onnx")
		require.NoError(t, err)
		want, floats := expected(t, c.name)
		found := map[string]bool{} // digests of the expected values, the matrices of products turned round as well
		for _, w := range want {
			n, _ := tensor.Elements(w.Shape)
			values := floats[:n]
			floats = floats[n:]
			found[formatstest.Digest(values)] = true
			if len(w.Shape) == 2 {
				turned := make([]float32, 0, n)
				for j := range w.Shape[1] {
					for i := range w.Shape[0] {
						turned = append(turned, values[i*w.Shape[1]+j])
					}
				}
				found[formatstest.Digest(turned)] = true
			}
		}
		quantised := 0
		require.Len(t, m.Tensors(), len(from.Tensors()), "%s: %v", c.name, names(m))
		for _, x := range m.Tensors() {
			y, ok := from.Tensor(x.Name)
			require.True(t, ok, x.Name)
			require.Equal(t, y.Shape, x.Shape, x.Name)
			a, b := make([]float32, x.Len()), make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), a, 0))
			require.NoError(t, y.Data.ReadValues(context.Background(), b, 0))
			l, ok := x.Data.(tensor.Lattice)
			if !ok {
				vectors.Equal(t, b, a, x.Name)
				continue
			}
			quantised++
			require.True(t, found[formatstest.Digest(a)], "%s: %s", c.name, x.Name)
			steps := make([]float32, x.Len())
			require.NoError(t, l.ReadSteps(context.Background(), steps, 0))
			within := 0
			for k := range a {
				if max(a[k]-b[k], b[k]-a[k]) <= steps[k]/2 {
					within++
				}
			}
			require.GreaterOrEqual(t, within, len(a)*97/100, "%s: half a step", x.Name)
		}
		require.Equal(t, len(want), quantised, c.name)
	}
}
