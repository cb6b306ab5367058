package safetensors

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/internal/vectors"
)

func open(t testing.TB, path string) (*File, error) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(t, err)
	return Read(context.Background(), filepath.Base(path), f, info.Size(), nil)
}

// folders lists the committed vectors and, where it is, the whole set.
func folders(t testing.TB, name string) []string {
	out := []string{filepath.Join("testdata", strings.TrimSuffix(name, "/safetensors"))}
	if dir, ok := vectors.Shared(t, filepath.Join("vectors", name)); ok {
		out = append(out, dir)
	}
	return out
}

func TestVectors(t *testing.T) {
	var dirs []string
	for _, name := range []string{"dtypes", "exhaustive", "container"} {
		dirs = append(dirs, filepath.Join("testdata", name))
		if dir, ok := vectors.Shared(t, filepath.Join("vectors/safetensors", name)); ok {
			dirs = append(dirs, dir)
		}
	}
	seen := map[string]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.expected.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		for _, path := range files {
			var want struct {
				File     string
				Metadata map[string]string
				Tensors  []formatstest.Expected
			}
			vectors.JSON(t, path, &want)
			f, err := open(t, filepath.Join(dir, want.File))
			require.NoError(t, err)
			formatstest.Model(t, f)
			require.Len(t, f.Metadata(), len(want.Metadata), want.File)
			for k, v := range want.Metadata {
				require.Equal(t, v, f.Metadata()["safetensors."+k], want.File)
			}
			for _, w := range want.Tensors {
				x, ok := f.Tensor(w.Name)
				require.True(t, ok, "%s %q", want.File, w.Name)
				formatstest.Values(t, dir, x1(x), []formatstest.Expected{w})
				seen[x.DType.String()] = true
			}
		}
	}
	require.Len(t, seen, 22, "types seen")
}

// The reference writer lacks the F6 types only.
func TestReferenceWriter(t *testing.T) {
	ours, err := open(t, "testdata/dtypes/all-dtypes.safetensors")
	require.NoError(t, err)
	theirs, err := open(t, "testdata/dtypes/all-dtypes-reference-writer.safetensors")
	require.NoError(t, err)
	require.Len(t, theirs.Tensors(), 20)
	for _, x := range theirs.Tensors() {
		y, ok := ours.Tensor(x.Name)
		require.True(t, ok, x.Name)
		a, b := make([]float32, x.Len()), make([]float32, y.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), a, 0))
		require.NoError(t, y.Data.ReadValues(context.Background(), b, 0))
		vectors.Equal(t, b, a, x.Name)
	}
}

func TestMalformed(t *testing.T) {
	for _, dir := range folders(t, "malformed/safetensors") {
		var cases []struct{ File, What, Verdict string }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &cases)
		require.Len(t, cases, 121)
		for _, c := range cases {
			path := filepath.Join(dir, c.File)
			switch {
			case c.Verdict == "accept":
				f, err := open(t, path)
				require.NoError(t, err, "%s: %s", c.File, c.What)
				formatstest.Model(t, f)
			case c.File == "114-bool-not-0-1.bin": // the header is in order; the values are refused
				formatstest.Refused(t, path, c.What, func(path string) error {
					f, err := open(t, path)
					require.NoError(t, err)
					x := f.Tensors()[0]
					return x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0)
				})
			default:
				formatstest.Refused(t, path, c.What, func(path string) error { _, err := open(t, path); return err })
			}
		}
	}
}
