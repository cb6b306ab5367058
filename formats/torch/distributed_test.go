package torch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

const distributedFolder = "testdata/distributed"

// readMetadata reads a .metadata whose parts lie in the folder of the vectors.
func readMetadata(b []byte) (*File, error) {
	return ReadDistributed(context.Background(), ".metadata", bytes.NewReader(b), int64(len(b)), func(name string) (*Part, error) {
		if strings.ContainsAny(name, "/\\\x00") {
			return nil, tensor.Errorf(tensor.ErrFormat, name, -1, "name", "no plain name")
		}
		part, err := os.ReadFile(filepath.Join(distributedFolder, name))
		if err != nil {
			return nil, tensor.Errorf(err, name, -1, "file", "%v", err)
		}
		return &Part{bytes.NewReader(part), name, int64(len(part))}, nil
	})
}

func TestDistributed(t *testing.T) {
	var v vector
	vectors.JSON(t, distributedFolder+"/expected.json", &v)
	f, err := readMetadata(load(t, distributedFolder+"/.metadata"))
	require.NoError(t, err)
	v.check(t, f, vectors.Floats(t, distributedFolder+"/expected.f32"))
	require.Equal(t, []string{"the model is what stands under model; tensors outside it are left out: optimizer.exp", "entries of the checkpoint that hold no tensor are left out: epoch, optimizer.step"}, f.Warnings)
}

// What the description says wrong is refused.
func TestDistributedHostile(t *testing.T) {
	good := string(load(t, distributedFolder+"/.metadata"))
	n := 0
	refuse := func(name, b string, class error, text string) {
		t.Helper()
		n++
		_, err := readMetadata([]byte(b))
		require.ErrorIs(t, err, class, name)
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe, name)
		require.ErrorContains(t, err, text, name)
	}
	edit := func(old, new string, class error, text string) {
		t.Helper()
		require.True(t, strings.Contains(good, old), old)
		refuse(old+" "+new, strings.Replace(good, old, new, 1), class, text)
	}
	edit("\x8c\x08Metadata", "\x8c\x08Metadatb", tensor.ErrNotModel, "the description of a distributed checkpoint expected")
	edit("state_dict_metadata", "state_dict_metadatb", tensor.ErrFormat, "are dicts")
	edit("storage_data", "storage_datb", tensor.ErrFormat, "are dicts")
	edit("TensorStorageMetadata", "XensorStorageMetadata", tensor.ErrNotModel, "no tensor under any name")
	edit("properties", "propertiet", tensor.ErrUnsupported, "the element type")
	edit("\x8c\x07float32", "\x8c\x07float99", tensor.ErrUnsupported, "the element type")
	edit("\x8c\x07float32", "\x8c\x07float64", tensor.ErrFormat, "holds F32")
	edit("\x8c\x06chunks", "\x8c\x06chunkz", tensor.ErrFormat, "a shape and a list of chunks")
	edit("\x8c\x04size\x94", "\x8c\x04sizf\x94", tensor.ErrFormat, "a shape and a list of chunks")
	edit("\x8c\x07offsets", "\x8c\x07offsetz", tensor.ErrFormat, "offsets and sizes")
	edit("\x8c\x05sizes", "\x8c\x05sizez", tensor.ErrFormat, "offsets and sizes")
	edit("K\x07K\x03\x86", "K\x08K\x03\x86", tensor.ErrFormat, "of 24 elements")
	edit("K\x07K\x03\x86", "K\x02K\x03\x86", tensor.ErrFormat, "leaves the shape")
	edit("K\x07K\x03\x86", "K\x07K\x03K\x01\x87", tensor.ErrFormat, "of 3 dimensions")
	edit("\x8c\x03fqn", "\x8c\x03fqm", tensor.ErrFormat, "a name, a file")
	edit("relative_path", "relative_pati", tensor.ErrFormat, "a name, a file")
	edit("__0_0.distcp", "../_0.distcp", tensor.ErrFormat, "no plain name")
	edit("__0_0.distcp", "__9_9.distcp", os.ErrNotExist, "no such file")
	edit("\x8c\x06length", "\x8c\x06lengtg", tensor.ErrFormat, "a name, a file")
	for _, cut := range []int{1, 10, 100, 1000, len(good) - 1} {
		refuse(fmt.Sprint("cut ", cut), good[:cut], io.ErrUnexpectedEOF, "")
	}
	refuse("a tensor described", "\x80\x02NQ.", tensor.ErrFormat, "no storage is described here")
	refuse("too long", strings.Repeat("N", maxPickle+1), tensor.ErrLimit, "bytes, at most")
	require.Greater(t, n, 20)
}

// No changed byte of the description or of a part makes the reader panic, and
// what it accepts can be read or says why not.
func TestDistributedFlips(t *testing.T) {
	good := load(t, distributedFolder+"/.metadata")
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		acceptedMetadata(t, b)
	}
}

func acceptedMetadata(t testing.TB, b []byte) {
	t.Helper()
	f, err := readMetadata(b)
	var fe *tensor.FormatError
	if err != nil {
		require.ErrorAs(t, err, &fe)
		return
	}
	for _, x := range f.Tensors() {
		values := make([]float32, min(x.Len(), 1<<12))
		if err := x.Data.ReadValues(context.Background(), values, 0); err != nil {
			require.ErrorAs(t, err, &fe)
		}
	}
}

// FuzzDistributed reads any bytes as a .metadata.
func FuzzDistributed(f *testing.F) {
	f.Add(load(f, distributedFolder+"/.metadata"))
	f.Fuzz(func(t *testing.T, b []byte) { acceptedMetadata(t, b) })
}
