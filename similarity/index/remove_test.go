package index_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

// What is removed is found no more and counts no more; it can be added again,
// and a merge leaves no trace of it.
func TestRemove(t *testing.T) {
	path, all := three(t)
	n, err := index.Remove(path, []string{"b"}, nil)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	x := open(t, path)
	require.Equal(t, 2, x.Len())
	require.Equal(t, []string{"a", "c"}, names(t, path))
	e, err := x.Entry(1)
	require.NoError(t, err)
	require.Equal(t, "c", e.Name)
	require.EqualValues(t, 2, x.Number(1))
	found, err := x.Search(context.Background(), all[1].Fingerprint, 3, -7)
	require.NoError(t, err)
	require.Equal(t, 2, found.Searched)
	require.Empty(t, found.Hits)
	require.Empty(t, found.Skipped)

	for _, c := range []struct {
		names   []string
		numbers []int64
	}{{[]string{"b"}, nil}, {[]string{"a", "x"}, nil}, {nil, []int64{1}}, {nil, []int64{3}}, {nil, []int64{0, 99}}} {
		_, err = index.Remove(path, c.names, c.numbers)
		require.ErrorIs(t, err, index.ErrNoEntry)
		require.Equal(t, []string{"a", "c"}, names(t, path), "all or none")
	}

	merged := filepath.Join(t.TempDir(), "merged")
	require.NoError(t, index.Merge(merged, path))
	never := filepath.Join(t.TempDir(), "never")
	_, err = index.Add(never, all[0], all[2])
	require.NoError(t, err)
	again := filepath.Join(t.TempDir(), "again")
	require.NoError(t, index.Merge(again, never))
	for _, ending := range []string{"", ".details"} {
		want, err := os.ReadFile(again + ending)
		require.NoError(t, err)
		got, err := os.ReadFile(merged + ending)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	a, err := index.Add(path, all[1])
	require.NoError(t, err)
	require.Equal(t, 1, a.New)
	require.Equal(t, []string{"a", "c", "b"}, names(t, path))
}

// A writer that is open sees what another removed.
func TestRemovedBesideAWriter(t *testing.T) {
	path, all := three(t)
	w, err := index.OpenWriter(path)
	require.NoError(t, err)
	defer w.Close()
	a, err := w.Add(all[0])
	require.NoError(t, err)
	require.Equal(t, 1, a.Known)
	_, err = index.Remove(path, []string{"a"}, []int64{2})
	require.NoError(t, err)
	copied := index.Entry{Name: "copy of a", Fingerprint: all[0].Fingerprint}
	a, err = w.Add(all[0], all[1], copied)
	require.NoError(t, err)
	require.Equal(t, index.Added{New: 2, Known: 1, Copies: []index.Copy{{Name: "copy of a", Of: "a"}}}, a)
	require.Equal(t, []string{"b", "a", "copy of a"}, names(t, path))
}

// Removed entries of generic content are not counted among the quarantined.
func TestRemovedQuarantined(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	_, err := index.Add(path, index.Entry{Name: "zeros", Fingerprint: poisoned(1, generic["zeros"])}, index.Entry{Name: "one", Fingerprint: fingerprinttest.Of(fingerprinttest.Middle, 1, nil)})
	require.NoError(t, err)
	require.Equal(t, 1, open(t, path).Quarantined())
	_, err = index.Remove(path, []string{"zeros"}, nil)
	require.NoError(t, err)
	require.Zero(t, open(t, path).Quarantined())
}

// Where the first of several entries of one content is removed, the next one is
// the first.
func TestCopiesOfWhatWasRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	as := func(names ...string) (all []index.Entry) {
		for _, n := range names {
			all = append(all, index.Entry{Name: n, Fingerprint: f})
		}
		return all
	}
	_, err := index.Add(path, as("a", "b", "c", "d")...)
	require.NoError(t, err)
	_, err = index.Remove(path, []string{"b", "a"}, nil)
	require.NoError(t, err)
	a, err := index.Add(path, as("e", "a")...)
	require.NoError(t, err)
	require.Equal(t, []index.Copy{{Name: "e", Of: "c"}, {Name: "a", Of: "c"}}, a.Copies)
}
