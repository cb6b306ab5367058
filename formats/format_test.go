package formats

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// The content decides: a file is read alike under every ending.
func TestContentBeforeEnding(t *testing.T) {
	for format, path := range map[string]string{
		"safetensors": "testdata/index/001-good/model-00001-of-00002.safetensors",
		"torch":       torchData + "/state-dict.pt",
		"gguf":        "gguf/testdata/container/align-64.gguf",
		"onnx":        "onnx/testdata/script.onnx",
		"numpy":       "numpy/testdata/types.npz",
		"tflite":      "tflite/testdata/float.tflite",
	} {
		for _, row := range append(Builtin(), Format{Endings: []string{"", ".txt", ".json"}}) {
			for _, ending := range row.Endings {
				to := filepath.Join(t.TempDir(), "m"+ending)
				copyTo(t, path, to)
				m, err := open(t, to)
				require.NoError(t, err, "%s as %s", path, ending)
				require.Equal(t, format, m.Format)
			}
		}
	}
}

// upper is a format of a caller's own: four letters, then bytes.
var upper = Format{
	Name: "upper", Endings: []string{".up"},
	Recognise: func(in *Input) bool { return string(in.Head[:min(4, len(in.Head))]) == "UPPR" },
	Read: func(_ context.Context, in *Input) (tensor.Model, error) {
		if in.Size < 5 {
			return nil, tensor.Errorf(tensor.ErrFormat, in.Label, 4, "bytes", "there are none")
		}
		in.Warn("twice said")
		in.Warn("twice said")
		part, err := in.Beside("part", "bytes")
		if err != nil {
			return nil, err
		}
		return tensor.Tensors{
			{Name: "a", DType: tensor.U8, Shape: []int64{in.Size - 4}, Data: &tensor.Stored{File: in.Label, R: in, Offset: 4, Bytes: in.Size - 4, DType: tensor.U8}},
			{Name: "b", DType: tensor.U8, Shape: []int64{part.Size}, Data: &tensor.Stored{File: part.Label, R: part, Bytes: part.Size, DType: tensor.U8}},
		}, nil
	},
}

func TestOwnFormat(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "m.up"), []byte("UPPR\x05\x06"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "part"), []byte{7}, 0o600))
	o := &Options{Formats: []Format{upper}}
	for _, ref := range []string{dir, filepath.Join(dir, "m.up")} {
		m, err := Open(context.Background(), ref, o)
		require.NoError(t, err)
		require.Equal(t, "upper", m.Format)
		require.Equal(t, []string{"twice said"}, m.Warnings)
		require.Len(t, m.Files(), 2)
		values := make([]float32, 2)
		require.NoError(t, m.Tensors()[0].ReadRows(context.Background(), values[:], 0, 1))
		require.Equal(t, []float32{5, 6}, values)
		require.NoError(t, m.Close())
	}
	_, err := open(t, filepath.Join(dir, "m.up"))
	require.ErrorIs(t, err, tensor.ErrNotModel)
	require.ErrorContains(t, err, "none of the formats that are read (safetensors, gguf, ")
	Builtin()[0] = upper
	require.Equal(t, "safetensors", Builtin()[0].Name, "the table is nobody's to change")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "m.up"), []byte("none"), 0o600))
	_, err = Open(context.Background(), filepath.Join(dir, "m.up"), o)
	require.ErrorContains(t, err, "there are none", "the ending names the reader that refuses")
}

// A file that a format asks for lies in the same folder.
func TestBesideStaysInTheFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "m.up"), []byte("UPPR\x05"), 0o600))
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte{1}, 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	for _, name := range []string{"../outside", outside, "", ".", "..", "a/b", "a\x00b", "link"} {
		row := upper
		row.Read = func(_ context.Context, in *Input) (tensor.Model, error) {
			_, err := in.Beside(name, "location")
			return nil, err
		}
		_, err := Open(context.Background(), filepath.Join(dir, "m.up"), &Options{Formats: []Format{row}})
		require.ErrorIs(t, err, tensor.ErrFormat, name)
		require.ErrorContains(t, err, "location", name)
	}
}
