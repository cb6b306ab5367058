package formats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// wholeFiles are small files of every format.
var wholeFiles = []string{
	"testdata/index/001-good/model-00001-of-00002.safetensors", "testdata/sharded/model-00001-of-00003.safetensors",
	"gguf/testdata/container/align-64.gguf", "gguf/testdata/container/big-endian.gguf",
	"torch/testdata/state-dict.pt", "torch/testdata/wrapped.pt", "torch/testdata/tar.pt", "torch/testdata/nemo.pt", "torch/testdata/package.pt", "torch/testdata/several.pt", "whispercpp/testdata/model.bin", "ctranslate2/testdata/whisper-int8.bin",
	"onnx/testdata/nbits4.onnx", "onnx/testdata/types.onnx", "numpy/testdata/compressed.npz", "numpy/testdata/single.npy", "tflite/testdata/int4.tflite",
	"hdf5/testdata/v110.h5", "hdf5/testdata/types.h5", "hdf5/testdata/model.keras", "flax/testdata/types.msgpack",
}

// readAllValues reads every value of a checkpoint.
func readAllValues(m *Checkpoint) error {
	for _, t := range m.Tensors() {
		if t.DType == tensor.Opaque {
			continue
		}
		if err := t.Data.ReadValues(context.Background(), make([]float32, t.Len()), 0); err != nil {
			return err
		}
	}
	return nil
}

// A file that ends early, wherever that is, gives a typed error when it is opened
// or when its values are read.
func TestCutAtAnyOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0xc07))
	dir, offsets := t.TempDir(), 170
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		offsets = 1000
	}
	for _, name := range wholeFiles {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		whole, err := open(t, name)
		require.NoError(t, err, name)
		require.NoError(t, readAllValues(whole))
		for i := range offsets {
			at := i
			if i >= 60 || i >= len(b) {
				at = r.IntN(len(b))
			}
			path := filepath.Join(dir, "model"+filepath.Ext(name))
			require.NoError(t, os.WriteFile(path, b[:at], 0o600))
			m, err := Open(context.Background(), path, nil)
			if err == nil { // what is missing held no values, or is noticed on reading
				same := len(m.Tensors()) == len(whole.Tensors())
				err = readAllValues(m)
				m.Close()
				if err == nil {
					require.True(t, same, "%s cut at %d of %d loses tensors", name, at, len(b))
					continue
				}
			}
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe, "%s cut at %d of %d", name, at, len(b))
		}
	}
}

// A file that changes while it is open gives tensor.ErrChanged or an unexpected
// end, never values of another file. Unlinked, it is read on as long as it
// stays open, and found missing by Verify.
func TestChangesWhileOpen(t *testing.T) {
	big := make([]byte, 1<<20)
	for name, c := range map[string]struct {
		change func(path string) error
		reads  bool // reading still gives the old values
	}{
		"shrunk":   {func(p string) error { return os.Truncate(p, 100) }, false},
		"emptied":  {func(p string) error { return os.Truncate(p, 0) }, false},
		"unlinked": {os.Remove, true},
		"replaced": {func(p string) error {
			if err := os.WriteFile(p+".new", big, 0o600); err != nil {
				return err
			}
			return os.Rename(p+".new", p)
		}, true},
		"grown": {func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(big)
			return errors.Join(err, f.Close())
		}, true},
	} {
		for _, file := range wholeFiles {
			path := filepath.Join(t.TempDir(), "model"+filepath.Ext(file))
			copyTo(t, file, path)
			m, err := Open(context.Background(), path, nil)
			require.NoError(t, err)
			require.NoError(t, c.change(path))
			var fe *tensor.FormatError
			if err := readAllValues(m); c.reads {
				require.NoError(t, err, "%s %s", file, name)
			} else {
				require.ErrorAs(t, err, &fe, "%s %s", file, name)
				require.True(t, errors.Is(err, tensor.ErrChanged) || errors.Is(err, io.ErrUnexpectedEOF), "%s %s: %v", file, name, err)
			}
			require.ErrorIs(t, m.Verify(), tensor.ErrChanged, "%s %s", file, name)
			require.NoError(t, m.Close())
		}
	}
}

// Many shards are read with few descriptors.
func TestFewDescriptors(t *testing.T) {
	const shards = 200
	dir := t.TempDir()
	for i := range shards {
		header := fmt.Sprintf(`{"t%d":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, i)
		b := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, shards)), append(b, byte(i)), 0o600))
	}
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	low := before
	low.Cur = 70
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)) }()
	for range 3 { // at once
		m, err := open(t, dir)
		require.NoError(t, err)
		require.Len(t, m.Tensors(), shards)
		require.NoError(t, readAllValues(m))
	}
}

// A file that misses values at its end is truncated, for errors.Is, in every format.
// What some end in, nothing needs: padding, or the blocks of zeros of a tar file, of which
// whole entries are missing before one is cut.
func TestTruncated(t *testing.T) {
	for _, name := range wholeFiles {
		if filepath.Base(name) == "tar.pt" {
			continue
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		err = nil
		for cut := 1; err == nil; cut *= 2 {
			require.Less(t, cut, len(b), name)
			path := filepath.Join(t.TempDir(), "model"+filepath.Ext(name))
			require.NoError(t, os.WriteFile(path, b[:len(b)-cut], 0o600))
			var m *Checkpoint
			if m, err = Open(context.Background(), path, nil); err == nil {
				err = readAllValues(m)
				m.Close()
			}
		}
		require.ErrorIs(t, err, ErrTruncated, "%s: %v", name, err)
	}
}
