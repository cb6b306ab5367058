// Package vectors finds the reference vectors that tests compare with: values
// and verdicts computed by the reference implementations of each format. A
// subset lies in the testdata folder of each package; the whole set, where a
// machine has it, in a folder shared/vectors beside or above the checkout.
package vectors

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Shared returns a folder of the whole set, such as "vectors/gguf" or "zoo".
// The environment variable WEIGHTPRINT_SHARED overrides the search. Where the
// set is absent it says in the log what is left out and returns false.
func Shared(t testing.TB, folder string) (string, bool) {
	t.Helper()
	roots := []string{os.Getenv("WEIGHTPRINT_SHARED")}
	if roots[0] == "" {
		dir, err := os.Getwd()
		require.NoError(t, err)
		roots = nil
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			roots = append(roots, filepath.Join(dir, "shared"))
		}
	}
	for _, root := range roots {
		if path := filepath.Join(root, folder); isFolder(path) {
			return path, true
		}
	}
	t.Logf("the further test data of %q is not on this machine: its cases are left out", folder)
	return "", false
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// unzipped reads a file that is kept compressed.
func unzipped(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Floats reads a file of little-endian float32 values.
func Floats(t testing.TB, path string) []float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		b, err = unzipped(path + ".gz")
	}
	require.NoError(t, err)
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// JSON reads a file into v.
func JSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, v), path)
}

// Equal requires two lists of values to be equal bit for bit; any NaN equals
// any NaN.
func Equal(t testing.TB, want, got []float32, what string) {
	t.Helper()
	require.Equal(t, len(want), len(got), "%s: number of values", what)
	for i, w := range want {
		g := got[i]
		if math.Float32bits(w) != math.Float32bits(g) && !(w != w && g != g) {
			require.Failf(t, "values differ", "%s: value %d is %v (%08x), want %v (%08x)", what, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}
