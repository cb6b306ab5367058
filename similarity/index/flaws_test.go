package index_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// edited is an index of three entries and a fourth, in commits 2 (slot at byte 0)
// and 3 (slot at byte 512), after an edit.
func edited(t *testing.T, edit func(b []byte) []byte) string {
	path, _ := three(t)
	_, err := index.Add(path, entry("d", 9))
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, edit(b), 0o600))
	return path
}

// A damaged or wiped slot of the header is never passed over in silence.
func TestLostCommits(t *testing.T) {
	for name, x := range map[string]struct {
		edit            func(b []byte) []byte
		entries         int
		checks, warning []string
	}{
		"sound":          {func(b []byte) []byte { return b }, 4, nil, nil},
		"later damaged":  {func(b []byte) []byte { b[512+16] ^= 1; return b }, 3, []string{"offset 512", "1 records lie behind"}, []string{"offset 512", "1 records lie behind"}},
		"later's magic":  {func(b []byte) []byte { b[512] ^= 1; return b }, 3, []string{"offset 512", "1 records lie behind"}, []string{"offset 512", "1 records lie behind"}},
		"later wiped":    {func(b []byte) []byte { clear(b[512:1024]); return b }, 3, []string{"1 records lie behind"}, []string{"1 records lie behind"}},
		"earlier damage": {func(b []byte) []byte { b[100] ^= 1; return b }, 4, []string{"offset 0"}, []string{"offset 0"}},
		"records behind": {func(b []byte) []byte { return append(b, make([]byte, 2048)...) }, 4, []string{"2 records lie behind"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := edited(t, x.edit)
			i, err := index.Open(path)
			require.NoError(t, err)
			defer i.Close()
			require.Equal(t, x.entries, i.Len())
			found, err := i.Search(t.Context(), entry("q", 9).Fingerprint, 1, stats.LogP(-7))
			require.NoError(t, err)
			says(t, x.warning, found.Lost)
			header, err := i.CheckHeader()
			require.NoError(t, err)
			says(t, x.checks, header)
			_, err = index.Add(path, entry("e", 10)) // the next commit leaves no signs behind
			require.NoError(t, err)
			header, err = i.CheckHeader()
			require.NoError(t, err)
			require.Empty(t, header)
		})
	}
}

func says(t *testing.T, want []string, errs []error) {
	require.Len(t, errs, len(want))
	for k, w := range want {
		require.ErrorContains(t, errs[k], w)
		require.ErrorIs(t, errs[k], index.ErrLost)
	}
}

// Only writers go on with a file that holds nothing.
func TestEmptyFilesAreNoIndexes(t *testing.T) {
	for _, size := range []int{0, 1, 1024} {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, make([]byte, size), 0o600))
		_, err := index.Open(path)
		require.ErrorIs(t, err, index.ErrEmpty)
		_, err = index.Add(path, entry("a", 1))
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, names(t, path))
	}
}
