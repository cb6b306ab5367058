package formats

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

// layoutVectors is the number of layouts in the whole set.
const layoutVectors = 41

// layoutFolders lists the committed layouts, which carry digests of their
// values, and where it is the set that carries the values themselves.
func layoutFolders(t testing.TB) []string {
	var out []string
	for _, dir := range folders(t, "testdata/layouts", "vectors/layouts") {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, layoutVectors)
		for _, e := range entries {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

// layoutExpected is what the reference packages say of a layout.
type layoutExpected struct {
	Weights []struct {
		formatstest.Expected
		Kind string
		Uses []string
	}
}

func TestLayouts(t *testing.T) {
	for _, dir := range layoutFolders(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var want layoutExpected
			vectors.JSON(t, filepath.Join(dir, "expected.json"), &want)
			m, err := open(t, dir)
			require.NoError(t, err)
			formatstest.Model(t, m)
			require.NotEmpty(t, m.Layout)
			parts := 0
			for _, w := range want.Weights {
				if w.Kind == "unmasked" {
					continue // the other answer to an ambiguous case
				}
				x, ok := m.Tensor(w.Name)
				require.True(t, ok, w.Name)
				formatstest.Values(t, dir, []*tensor.Tensor{x}, []formatstest.Expected{w.Expected})
				steps(t, x)
				parts += len(w.Uses)
				for _, u := range w.Uses {
					if _, left := m.Tensor(u); left && u != w.Name {
						t.Errorf("the part %s is still listed", u)
					}
				}
			}
			require.Equal(t, filepath.Base(dir) == "gptq-4bit-zero-wrap", len(m.Warnings) == 1, "warnings: %v", m.Warnings)
			for _, a := range roles.Map(m).Roles {
				name := strings.TrimSuffix(a.Tensor.Name, ".weight")
				if strings.HasSuffix(name, ".o_proj") {
					continue // without queries beside it, it may be the output of something other than attention
				}
				if strings.HasSuffix(name, "_proj") || strings.HasSuffix(name, "embed_tokens") {
					require.NotContains(t, a.Role, "generic", a.Tensor.Name)
				}
			}
		})
	}
}

// steps requires a lattice whose steps are positive wherever values are not
// fixed by a vanishing scale, and which agrees however it is read.
func steps(t testing.TB, x *tensor.Tensor) {
	t.Helper()
	l, ok := x.Data.(tensor.Lattice)
	require.True(t, ok, x.Name)
	all := make([]float32, x.Len())
	require.NoError(t, l.ReadSteps(context.Background(), all, 0))
	part := make([]float32, min(x.Len(), 100))
	require.NoError(t, l.ReadSteps(context.Background(), part, x.Len()-int64(len(part))))
	vectors.Equal(t, all[len(all)-len(part):], part, x.Name+" steps")
	positive := 0
	for _, h := range all {
		if h > 0 {
			positive++
		}
	}
	require.Greater(t, positive, len(all)*9/10, x.Name)
}

// A method that is not read refuses the checkpoint; on request it is listed
// as stored.
func TestUnreadMethods(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, "testdata/layouts/gptq-4bit-g32-asym/model.safetensors", filepath.Join(dir, "model.safetensors"))
	config := `{"model_type":"llama","quantization_config":{"quant_method":"hqq"}}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600))
	_, err := open(t, dir)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
	require.ErrorContains(t, err, "hqq")
	m, err := Open(context.Background(), dir, &Options{UnknownTypes: true})
	require.NoError(t, err)
	defer m.Close()
	require.Empty(t, m.Layout)
	require.Len(t, m.Warnings, 1)
	_, ok := m.Tensor("model.layers.0.mlp.up_proj.qweight")
	require.True(t, ok)
}

// Older tools wrote the parameters into a file of their own.
func TestParametersBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, "testdata/layouts/gptq-v2-4bit-g64-asym/model.safetensors", filepath.Join(dir, "model.safetensors"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "quantize_config.json"), []byte(`{"bits":4,"group_size":64,"checkpoint_format":"gptq_v2"}`), 0o600))
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Equal(t, "gptq", m.Layout)
	require.Empty(t, m.Warnings)
	want, err := open(t, "testdata/layouts/gptq-v2-4bit-g64-asym")
	require.NoError(t, err)
	for _, x := range want.Tensors() {
		y, ok := m.Tensor(x.Name)
		require.True(t, ok)
		a, b := make([]float32, x.Len()), make([]float32, y.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), a, 0))
		require.NoError(t, y.Data.ReadValues(context.Background(), b, 0))
		vectors.Equal(t, a, b, x.Name)
	}
}

// What is packed in safetensors is unpacked from PyTorch's files alike.
func TestLayoutsInTorch(t *testing.T) {
	plain := []tensor.DType{tensor.F32, tensor.F16, tensor.BF16, tensor.U8, tensor.I8, tensor.I32, tensor.I64}
	n := 0
	for _, dir := range layoutFolders(t)[:layoutVectors] {
		want, err := open(t, dir)
		require.NoError(t, err)
		stored := rawSafetensors(t, filepath.Join(dir, "model.safetensors"))
		if slices.ContainsFunc(stored.Tensors(), func(x *tensor.Tensor) bool { return !slices.Contains(plain, x.DType) }) {
			continue // 8-bit floats have no storage type of their own
		}
		n++
		to := t.TempDir()
		copyTo(t, filepath.Join(dir, "config.json"), filepath.Join(to, "config.json"))
		formatstest.WriteTorch(t, filepath.Join(to, "pytorch_model.bin"), stored)
		got, err := open(t, to)
		require.NoError(t, err, dir)
		require.Equal(t, "torch", got.Format)
		require.Equal(t, want.Layout, got.Layout)
		require.Len(t, got.Tensors(), len(want.Tensors()))
		for _, x := range want.Tensors() {
			y, ok := got.Tensor(x.Name)
			require.True(t, ok, x.Name)
			require.Equal(t, x.DType, y.DType, x.Name)
			require.Equal(t, x.Shape, y.Shape, x.Name)
			vectors.Equal(t, all(t, x), all(t, y), x.Name)
		}
	}
	require.Greater(t, n, 20)
}

// rawSafetensors opens a file as it is stored.
func rawSafetensors(t testing.TB, path string) tensor.Model {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	m, err := safetensors.Read(context.Background(), path, bytes.NewReader(b), int64(len(b)), nil)
	require.NoError(t, err)
	return m
}

// all reads the values of a tensor.
func all(t testing.TB, x *tensor.Tensor) []float32 {
	out := make([]float32, x.Len())
	require.NoError(t, x.ReadRows(context.Background(), out, 0, x.Rows()))
	return out
}
