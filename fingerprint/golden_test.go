package fingerprint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/bitexact"
)

// The digests of the golden inputs' fingerprints never change within a version.
// internal/bitexact/run.sh holds the same list against other processors.
func goldenDigests(t testing.TB) []string { return digestsIn(t, "testdata/golden.txt") }

func digestsIn(t testing.TB, file string) []string {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	require.Len(t, lines, bitexact.Count)
	return lines
}

func TestGoldenInputs(t *testing.T) {
	want, first := goldenDigests(t), digestsIn(t, "testdata/v1/golden.txt")
	kinds := map[string]int{}
	step := 1
	if testing.Short() {
		step = 4
	}
	for i := 0; i < bitexact.Count; i += step {
		m := bitexact.Input(i)
		f, err := fingerprint.Compute(context.Background(), m, nil)
		require.NoError(t, err)
		require.Equal(t, want[i], fmt.Sprintf("%03d %s", i, f.Digest()))
		if f.Tokens != nil {
			kinds["tokens"]++
		}
		old, err := fingerprint.Compute(context.Background(), m, &fingerprint.Options{Version: 1})
		require.NoError(t, err)
		require.Equal(t, first[i], fmt.Sprintf("%03d %s", i, old.Digest()))
		for _, x := range m.Tensors() {
			kinds[x.DType.String()]++
		}
		if len(old.Sketches) > 0 {
			kinds["sketched"]++
		}
		if len(f.Probes) > 0 {
			kinds["probed"]++
		}
	}
	if step > 1 {
		return
	}
	require.Greater(t, len(kinds), 40, "types: %v", kinds)
	require.Equal(t, bitexact.Count/5, kinds["sketched"])
	require.Greater(t, kinds["probed"], bitexact.Count/10)
	require.Greater(t, kinds["tokens"], bitexact.Count/20)
}

// No bit depends on how many workers read, or how much at a time.
func TestWorkersAndChunksChangeNothing(t *testing.T) {
	want := goldenDigests(t)
	step := 4
	if testing.Short() {
		step = 23
	}
	for i := 0; i < bitexact.Count; i += step {
		m := bitexact.Input(i)
		for _, o := range []fingerprint.Options{
			{Workers: 1, ChunkBytes: 64 << 20}, {Workers: 2, ChunkBytes: 4 << 10}, {Workers: 7, ChunkBytes: 64<<10 + 13}, {Workers: 64, ChunkBytes: 4<<10 + 1},
		} {
			f, err := fingerprint.Compute(context.Background(), m, &o)
			require.NoError(t, err)
			require.Equal(t, want[i], fmt.Sprintf("%03d %s", i, f.Digest()), "%+v", o)
		}
	}
}

// Files of every version are read for ever, and made again to the byte.
func TestFilesAreKept(t *testing.T) {
	files, err := filepath.Glob("testdata/v*/*.wfp")
	require.NoError(t, err)
	require.Len(t, files, 7)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		f, err := fingerprint.Decode(b)
		require.NoError(t, err, name)
		var i int
		_, err = fmt.Sscanf(filepath.Base(name), "input-%d", &i)
		require.NoError(t, err)
		o := &fingerprint.Options{SketchOnly: strings.Contains(name, "sketch"), Version: 2}
		if strings.Contains(name, "v1") {
			o.Version = 1
		}
		again, err := fingerprint.Compute(context.Background(), bitexact.Input(i), o)
		require.NoError(t, err)
		require.Equal(t, b, encode(t, again), name)
		require.Equal(t, again.Digest(), f.Digest())
		require.Equal(t, o.Version == 1 || i%5 > 0, f.Tokens == nil)
		bad, err := f.Verify(context.Background(), bitexact.Input(i))
		require.NoError(t, err)
		require.Nil(t, bad, name)
	}
}
