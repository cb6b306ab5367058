package formats

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

const torchData = "torch/testdata"

func TestTorchShards(t *testing.T) {
	dir := filepath.Join(torchData, "sharded")
	for _, ref := range []string{"", "pytorch_model.bin.index.json", "pytorch_model-00002-of-00002.bin"} {
		m, err := open(t, filepath.Join(dir, ref))
		require.NoError(t, err)
		require.Equal(t, "torch", m.Format)
		require.Equal(t, []string{"the index declares a total_size of 193.125, the tensors have 201 bytes"}, m.Warnings)
		formatstest.Model(t, m)
		floats := vectors.Floats(t, filepath.Join(dir, "expected.f32"))
		var want struct{ Tensors []formatstest.Expected }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &want)
		require.Len(t, m.Tensors(), len(want.Tensors))
		for _, w := range want.Tensors {
			x, ok := m.Tensor(w.Name)
			require.True(t, ok, w.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.ReadRows(context.Background(), values, 0, x.Rows()))
			vectors.Equal(t, floats[:len(values)], values, w.Name)
			floats = floats[len(values):]
		}
		require.Equal(t, m.BytesRead() <= m.BytesTotal(), true)
	}
}

// What is broken between an index and its shards is an error for torch as it
// is for safetensors.
func TestTorchIndexIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		`{"weight_map":{"a":"model.safetensors"}}`:                                                                     "is no plain name of a bin file",
		`{"weight_map":{"a":"../pytorch_model-00001-of-00002.bin"}}`:                                                   "is no plain name of a bin file",
		`{"weight_map":{"layers.0.weight":"pytorch_model-00001-of-00002.bin"}}`:                                        "speaks of 2 shards, the index names 1",
		`{"weight_map":{"layers.0.weight":"pytorch_model-00001-of-00002.bin","x":"pytorch_model-00002-of-00002.bin"}}`: "which the index does not name",
	} {
		dir := t.TempDir()
		for _, name := range []string{"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"} {
			copyTo(t, filepath.Join(torchData, "sharded", name), filepath.Join(dir, name))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pytorch_model.bin.index.json"), []byte(text), 0o600))
		_, err := open(t, dir)
		require.ErrorContains(t, err, want)
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
	}
}

// The content decides, not the name; a folder's training state is no model.
func TestTorchFolders(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, filepath.Join(torchData, "state-dict.pt"), filepath.Join(dir, "pytorch_model.bin"))
	for _, name := range []string{"optimizer.pt", "training_args.bin", "rng_state_0.pth", "scheduler.pt"} {
		copyTo(t, filepath.Join(torchData, "wrapped.pt"), filepath.Join(dir, name))
	}
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Equal(t, "pytorch_model.bin", m.Files()[0].Path)
	_, ok := m.Tensor("embed.weight")
	require.True(t, ok)

	require.NoError(t, os.Rename(filepath.Join(dir, "pytorch_model.bin"), filepath.Join(dir, "weights")))
	m, err = open(t, filepath.Join(dir, "weights"))
	require.NoError(t, err)
	require.Equal(t, "torch", m.Format)

	copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, "model.bin"))
	m, err = open(t, filepath.Join(dir, "model.bin"))
	require.NoError(t, err)
	require.Equal(t, "safetensors", m.Format)

	_, err = open(t, filepath.Join(torchData, "refused", "sparse.pt"))
	require.ErrorIs(t, err, tensor.ErrUnsupported)
	require.ErrorContains(t, err, "sparse tensors are not read")
	_, err = open(t, filepath.Join(torchData, "refused"))
	require.ErrorContains(t, err, "several checkpoints lie here, name one of them: conjugated.pt")
}
