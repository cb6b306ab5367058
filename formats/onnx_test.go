package formats

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
)

// A model whose values lie beside it opens from its folder; the files that it
// names are counted and stay in the folder.
func TestONNXWithFilesBeside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"external.onnx", "external.onnx_data"} {
		copyTo(t, filepath.Join("onnx/testdata", name), filepath.Join(dir, name))
	}
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Equal(t, "onnx", m.Format)
	require.Len(t, m.Files(), 2)
	formatstest.Model(t, m)
	maker, _ := m.Metadata().String("onnx.producer_name")
	require.Equal(t, "pytorch", maker)

	require.NoError(t, os.Rename(filepath.Join(dir, "external.onnx_data"), filepath.Join(t.TempDir(), "d")))
	_, err = open(t, dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	outside := filepath.Join(t.TempDir(), "d")
	copyTo(t, "onnx/testdata/external.onnx_data", outside)
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "external.onnx_data")))
	_, err = open(t, dir)
	require.ErrorIs(t, err, tensor.ErrFormat)
	require.ErrorContains(t, err, "is a link that leaves the folder")
}
