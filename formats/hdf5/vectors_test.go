package hdf5

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	if RecognisesKeras(b) {
		return ReadKeras(context.Background(), "test.keras", bytes.NewReader(b), int64(len(b)))
	}
	return Read(context.Background(), "test.h5", bytes.NewReader(b), int64(len(b)))
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// vector is what h5py says of one of its files.
type vector struct {
	File    string
	Tensors []formatstest.Expected
}

// TestVectors compares every file with what h5py reads from it, bit for bit.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 9)
	for _, path := range files {
		var v vector
		vectors.JSON(t, path, &v)
		t.Run(v.File, func(t *testing.T) {
			f, err := read(load(t, filepath.Join("testdata", v.File)))
			require.NoError(t, err)
			formatstest.Model(t, f)
			v.check(t, f, vectors.Floats(t, strings.TrimSuffix(path, "json")+"f32"))
		})
	}
}

func (v vector) check(t *testing.T, f *File, floats []float32) {
	require.Len(t, f.Tensors(), len(v.Tensors))
	for _, w := range v.Tensors {
		x, ok := f.Tensor(w.Name)
		require.True(t, ok, w.Name)
		require.Equal(t, w.DType, x.DType.String(), w.Name)
		require.True(t, len(w.Shape) == 0 && len(x.Shape) == 0 || assertEqual(w.Shape, x.Shape), "%s: %v, not %v", w.Name, x.Shape, w.Shape)
		raw := make([]byte, x.StoredBytes())
		require.NoError(t, x.Data.(*tensor.Stored).ReadLittle(raw, 0), w.Name)
		sum := sha256.Sum256(raw)
		require.Equal(t, w.RawSHA, hex.EncodeToString(sum[:]), w.Name)
		values := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), values, 0), w.Name)
		vectors.Equal(t, floats[:len(values)], values, w.Name)
		floats = floats[len(values):]
	}
	require.Empty(t, floats)
}

func assertEqual(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestNotes(t *testing.T) {
	for name, want := range map[string][]string{
		"types.h5":    {"datasets that hold no numbers are left out: null (a float of 4 bytes), text (a list of any length of 16 bytes), texts (a text of 2 bytes)"},
		"tf_model.h5": nil,
		"v110.h5":     nil,
	} {
		f, err := read(load(t, "testdata/"+name))
		require.NoError(t, err)
		require.Equal(t, want, f.Warnings, name)
	}
	f, err := read(load(t, "testdata/model.keras"))
	require.NoError(t, err)
	require.Len(t, f.Warnings, 1)
	require.Contains(t, f.Warnings[0], "tensors of training are left out: optimizer/vars/0")
}

// What h5py writes and this package does not read is named.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"lzf":              "filter 32000 (LZF) is not read",
		"scale-offset":     "filter 6 (scale-offset) is not read",
		"fixed-array":      "chunks by an index of kind 3",
		"extensible-array": "chunks by an index of kind 4",
		"fill":             "values that were never written and are not zero",
		"texts":            "no dataset of numbers",
		"compound":         "no dataset of numbers",
		"user-block":       "no HDF5 file",
		"external":         "the values lie in other files",
		"cycle":            "the group lies within itself",
		"big-chunks":       "the datasets up to this one have 536870912 bytes, the file 1400",
		"huge":             "the datasets up to this one have",
	} {
		_, err := read(load(t, "testdata/refused/"+name+".h5"))
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe, name)
		require.ErrorContains(t, err, want, name)
	}
}
