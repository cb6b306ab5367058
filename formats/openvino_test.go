package formats

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A model opens by its folder, its description or its file of values.
func TestOpenVINOByAnyOfItsFiles(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, "openvino/testdata/full.xml", filepath.Join(dir, "openvino_model.xml"))
	copyTo(t, "openvino/testdata/full.bin", filepath.Join(dir, "openvino_model.bin"))
	copyTo(t, "openvino/testdata/half.xml", filepath.Join(dir, "openvino_tokenizer.xml"))
	copyTo(t, "openvino/testdata/half.bin", filepath.Join(dir, "openvino_tokenizer.bin"))
	for _, ref := range []string{"", "openvino_model.xml", "openvino_model.bin"} {
		m, err := open(t, filepath.Join(dir, ref))
		require.NoError(t, err, ref)
		require.Equal(t, "openvino", m.Format)
		require.Equal(t, tensor.F32, m.Tensors()[0].DType)
		require.Len(t, m.Tensors(), 8)
		require.Len(t, m.Files(), 2)
	}
}
