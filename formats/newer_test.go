package formats

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each of these is opened by its content, whatever it is called.
func TestOpensByContent(t *testing.T) {
	for path, want := range map[string]struct {
		format  string
		tensors int
	}{
		"torch/testdata/chain.pt":     {"torch", 16},
		"torch/testdata/tar.pt":       {"torch", 1},
		"torch/testdata/script.pt":    {"torch", 12},
		"torch/testdata/nemo.pt":      {"torch", 11},
		"torch/testdata/distributed":  {"torch", 7},
		"hdf5/testdata/tf_model.h5":   {"hdf5", 3},
		"hdf5/testdata/model.keras":   {"keras", 8},
		"flax/testdata/model.msgpack": {"flax", 7},
	} {
		c, err := open(t, path)
		require.NoError(t, err, path)
		require.Equal(t, want.format, c.Format, path)
		require.Len(t, c.Tensors(), want.tensors, path)
		info, err := os.Stat(path)
		require.NoError(t, err)
		if info.IsDir() {
			continue
		}
		renamed := filepath.Join(t.TempDir(), "weights")
		copyTo(t, path, renamed)
		again, err := open(t, renamed)
		require.NoError(t, err, path)
		require.Equal(t, want.format, again.Format, path)
	}
}

// Of a folder of DeepSpeed the model's states are opened, not the optimiser's.
func TestDeepSpeedFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mp_rank_00_model_states.pt", "zero_pp_rank_0_mp_rank_00_optim_states.pt", "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"} {
		copyTo(t, "torch/testdata/wrapped.pt", filepath.Join(dir, name))
	}
	c, err := open(t, dir)
	require.NoError(t, err)
	require.Len(t, c.Files(), 1)
	require.Equal(t, "mp_rank_00_model_states.pt", c.Files()[0].Path)
}
