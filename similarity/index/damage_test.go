package index_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

// change flips a bit of a file.
func change(t *testing.T, file string, at int) {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	b[at] ^= 1
	require.NoError(t, os.WriteFile(file, b, 0o600))
}

// reseal changes a slot or record of an index and makes its digest anew, as who
// wants to do harm would.
func reseal(t *testing.T, file string, at, size int, edit func(b []byte)) {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	part := b[at : at+size]
	edit(part)
	h := blake3.NewDeriveKey("weightprint v1 index record")
	h.Write(part[:size-16])
	copy(part[size-16:], h.Sum(nil)[:16])
	require.NoError(t, os.WriteFile(file, b, 0o600))
}

var threePrints = sync.OnceValue(func() (all []index.Entry) {
	for i, name := range []string{"a", "b", "c"} {
		all = append(all, index.Entry{Name: name, Fingerprint: fingerprinttest.Of(fingerprinttest.Middle, uint64(i+1), nil)})
	}
	return all
})

// three is an index of three whole entries.
func three(t *testing.T) (path string, all []index.Entry) {
	path, all = filepath.Join(t.TempDir(), "x"), threePrints()
	_, err := index.Add(path, all...)
	require.NoError(t, err)
	return path, all
}

// One bad entry is left out and named; the others are found as before, more can
// be added, and the bad one can be taken out.
func TestBadEntriesAreSkippedAndSaid(t *testing.T) {
	for name, damage := range map[string]struct {
		do     func(t *testing.T, path string)
		called string // what the bad entry is called where that can be read
	}{
		"record":  {func(t *testing.T, path string) { change(t, path, 1024+1024+77) }, ""},
		"details": {func(t *testing.T, path string) { change(t, path+".details", size(t, path)/2) }, "b"},
		"offset overflows": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) { binary.LittleEndian.PutUint64(b[40:], math.MaxInt64-3) })
		}, ""},
		"offset is negative": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) { binary.LittleEndian.PutUint64(b[40:], math.MaxUint64) })
		}, ""},
		"size is negative": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) { binary.LittleEndian.PutUint64(b[48:], math.MaxUint64) })
		}, ""},
		"size is too large": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) { binary.LittleEndian.PutUint64(b[48:], fingerprint.MaxFileBytes) })
		}, ""},
		"removal of a later record": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) {
				binary.LittleEndian.PutUint64(b[40:], 2)
				binary.LittleEndian.PutUint32(b[56:], 4)
			})
		}, ""},
		"unknown flag": {func(t *testing.T, path string) {
			reseal(t, path, 2048, 1024, func(b []byte) { binary.LittleEndian.PutUint32(b[56:], 9) })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, all := three(t)
			damage.do(t, path)
			x := open(t, path)
			bad, err := x.Check(context.Background())
			require.NoError(t, err)
			require.Len(t, bad, 1)
			require.EqualValues(t, 1, bad[0].Number)
			require.Equal(t, damage.called, bad[0].Name)
			require.Error(t, bad[0].Err)
			for i := range all {
				found, err := x.Search(context.Background(), all[i].Fingerprint, 3, -7)
				require.NoError(t, err)
				require.Len(t, found.Skipped, 1)
				require.EqualValues(t, 1, found.Skipped[0].Number)
				require.Equal(t, damage.called, found.Skipped[0].Name)
				require.Equal(t, 2, found.Searched)
				if i != 1 {
					require.Equal(t, all[i].Name, found.Hits[0].Name)
				} else {
					require.Empty(t, found.Hits)
				}
			}
			_, err = index.Add(path, entry("d", 9))
			require.NoError(t, err)
			require.Error(t, index.Merge(path+" merged", path), "a merge loses nothing silently")
			require.NoFileExists(t, path+" merged")
			n, err := index.Remove(path, nil, []int64{1})
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.Equal(t, []string{"a", "c", "d"}, names(t, path))
			bad, err = open(t, path).Check(context.Background())
			require.NoError(t, err)
			require.Empty(t, bad)
			require.NoError(t, index.Merge(path+" merged", path))
			require.Len(t, names(t, path+" merged"), 3)
		})
	}
}

// size is where the details of the first entry end, and as much again: within
// those of the second.
func size(t *testing.T, path string) int {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return 3 * int(binary.LittleEndian.Uint64(b[1024+48:]))
}

// A summary that is not that of its details hides an entry from searches: it is
// found by checking.
func TestForgedSummaries(t *testing.T) {
	path, _ := three(t)
	reseal(t, path, 2048, 1024, func(b []byte) { b[200] ^= 1 })
	bad, err := open(t, path).Check(context.Background())
	require.NoError(t, err)
	require.Len(t, bad, 1)
	require.Equal(t, "b", bad[0].Name)
	require.ErrorIs(t, bad[0].Err, index.ErrCorrupt)
}

// Headers that count more than there is, or cannot be counted on from.
func TestForgedHeaders(t *testing.T) {
	for name, edit := range map[string]func(b []byte){
		"last commit":      func(b []byte) { binary.LittleEndian.PutUint64(b[8:], math.MaxUint64) },
		"negative records": func(b []byte) { binary.LittleEndian.PutUint64(b[16:], 1<<63) },
		"too many records": func(b []byte) { binary.LittleEndian.PutUint64(b[16:], 4) },
		"records overflow": func(b []byte) { binary.LittleEndian.PutUint64(b[16:], 1<<54) },
		"negative details": func(b []byte) { binary.LittleEndian.PutUint64(b[24:], 1<<63) },
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := three(t)
			reseal(t, path, 0, 512, edit) // commit 2
			_, err := index.Open(path)
			require.ErrorIs(t, err, index.ErrCorrupt)
			_, err = index.Add(path, entry("d", 9))
			require.ErrorIs(t, err, index.ErrCorrupt)
		})
	}
	path, _ := three(t)
	reseal(t, path, 0, 512, func(b []byte) { binary.LittleEndian.PutUint64(b[24:], 1<<40) })
	_, err := index.Add(path, entry("d", 9))
	require.ErrorIs(t, err, index.ErrCorrupt, "more details than there are")
}

// Files that no index wrote stay as they are, byte for byte.
func TestForeignFilesAreLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"short":         "notes\n",
		"a byte":        "x",
		"a header long": string(make([]byte, 1000)) + "and some notes behind zeros",
		"long":          string(make([]byte, 1100)) + "notes",
		"magic":         "WPINDEX2" + string(make([]byte, 1016)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := index.Open(path)
			require.ErrorIs(t, err, index.ErrForeign)
			_, err = index.Add(path, entry("a", 1))
			require.ErrorIs(t, err, index.ErrForeign)
			_, err = index.Remove(path, []string{"a"}, nil)
			require.ErrorIs(t, err, index.ErrForeign)
			from := filepath.Join(dir, "from")
			_, err = index.Add(from, entry("a", 1))
			require.NoError(t, err)
			require.ErrorIs(t, index.Merge(path, from), index.ErrForeign)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(b))
			require.NoFileExists(t, path+".details")
		})
	}
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path+".details", []byte("notes"), 0o600))
	_, err := index.Add(path, entry("a", 1))
	require.ErrorIs(t, err, index.ErrForeign)
	require.ErrorIs(t, index.Merge(path, path), index.ErrForeign)
	require.NoFileExists(t, path)
	b, err := os.ReadFile(path + ".details")
	require.NoError(t, err)
	require.Equal(t, "notes", string(b))
}

func TestMissingIndexes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	_, err := index.Open(path)
	require.ErrorIs(t, err, index.ErrMissing)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = index.Remove(path, []string{"a"}, nil)
	require.ErrorIs(t, err, index.ErrMissing)
	_, err = index.Add(path)
	require.NoError(t, err, "nothing to add")
	_, err = index.Add(filepath.Join(dir, "none", "x"), entry("a", 1))
	require.Error(t, err)
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, all)
}

// By a link or by its own name, an index has one file of details.
func TestLinkedIndexes(t *testing.T) {
	path, _ := three(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	_, err := index.Add(link, entry("d", 9))
	require.NoError(t, err)
	require.NoFileExists(t, link+".details")
	require.Equal(t, []string{"a", "b", "c", "d"}, names(t, path))
	require.Equal(t, names(t, path), names(t, link))
	hard := filepath.Join(filepath.Dir(path), "hard")
	require.NoError(t, os.Link(path, hard))
	_, err = index.Add(hard, entry("e", 10))
	require.Error(t, err, "its details lie elsewhere")
	require.Equal(t, []string{"a", "b", "c", "d"}, names(t, path))
}

// Nobody's link is followed where a merge writes.
func TestMergeFollowsNoLinks(t *testing.T) {
	path, _ := three(t)
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
	to := filepath.Join(dir, "to")
	for _, link := range []string{to + ".tmp", to + ".tmp.details", to + ".details"} {
		if err := os.Symlink(victim, link); err != nil {
			t.Skip(err)
		}
	}
	require.ErrorIs(t, index.Merge(to, path), index.ErrForeign)
	require.NoError(t, os.Remove(to+".details"))
	require.NoError(t, index.Merge(to, path))
	b, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(b))
	require.Len(t, names(t, to), 3)
}
