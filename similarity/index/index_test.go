package index_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

var sketchOnly = &fingerprint.Options{SketchOnly: true}

func entry(name string, seed uint64) index.Entry {
	return index.Entry{Name: name, Fingerprint: fingerprinttest.Of(fingerprinttest.Small, seed, sketchOnly)}
}

// strangers lists n entries like the given one.
func strangers(like *fingerprint.Fingerprint, n int, seed uint64) []index.Entry {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([]index.Entry, n)
	for i := range out {
		out[i] = index.Entry{Name: fmt.Sprint("stranger ", i), Fingerprint: fingerprinttest.Like(like, r)}
	}
	return out
}

func open(t testing.TB, path string) *index.Index {
	t.Helper()
	x, err := index.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { x.Close() })
	return x
}

func names(t testing.TB, path string) []string {
	t.Helper()
	all, err := open(t, path).Names()
	require.NoError(t, err)
	return all
}

func TestSearchFindsTheOneAndNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	_, err := index.Add(path, strangers(one, 700, 1)...) // more than are tested in full
	require.NoError(t, err)
	_, err = index.Add(path, index.Entry{Name: "the one", Fingerprint: one})
	require.NoError(t, err)
	_, err = index.Add(path, strangers(one, 600, 2)...)
	require.NoError(t, err)
	x := open(t, path)
	found, err := x.Search(context.Background(), one, 5, -7)
	require.NoError(t, err)
	require.Equal(t, 1301, found.Searched)
	require.Len(t, found.Hits, 1)
	require.Equal(t, "the one", found.Hits[0].Name)
	require.True(t, found.Hits[0].Same)
	require.Less(t, found.Hits[0].P.Log10(), -9.0)
	found, err = x.Search(context.Background(), fingerprinttest.Of(fingerprinttest.Middle, 2, nil), 5, -7)
	require.NoError(t, err)
	require.Empty(t, found.Hits)
	require.Empty(t, found.Leads)
}

// The scan is exact: an entry that is near by one kind of summary alone is
// tested, however many entries there are.
func TestEveryKindOfSummaryLeadsToTheEntry(t *testing.T) {
	if testing.Short() {
		t.Skip("searches among 1,500 strangers")
	}
	path := filepath.Join(t.TempDir(), "x")
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	r := rand.New(rand.NewPCG(4, 4))
	_, err := index.Add(path, append(strangers(one, 1500, 1), index.Entry{Name: "the one", Fingerprint: one})...)
	require.NoError(t, err)
	old := fingerprinttest.Of(fingerprinttest.Middle, 5, &fingerprint.Options{Version: 1}) // has a residual sketch instead
	_, err = index.Add(path, append(strangers(old, 400, 2), index.Entry{Name: "the old", Fingerprint: old})...)
	require.NoError(t, err)
	x := open(t, path)
	q := fingerprinttest.Like(old, r)
	q.Sketches[0] = old.Sketches[0]
	found, err := x.Search(context.Background(), q, 5, -7)
	require.NoError(t, err)
	require.Len(t, found.Hits, 1, "residual dimensions")
	require.Equal(t, "the old", found.Hits[0].Name)
	for _, c := range []struct {
		keep string
		copy func(q *fingerprint.Fingerprint)
	}{
		{"units", func(q *fingerprint.Fingerprint) { copy(q.Sketches, one.Sketches) }},
		{"little-used tokens", func(q *fingerprint.Fingerprint) { q.Tokens = one.Tokens }},
		{"what tokens find", func(q *fingerprint.Fingerprint) { q.Probes = one.Probes }},
	} {
		q := fingerprinttest.Like(one, r)
		c.copy(q)
		found, err := x.Search(context.Background(), q, 5, -7)
		require.NoError(t, err)
		require.Len(t, found.Hits, 1, c.keep)
		require.Equal(t, "the one", found.Hits[0].Name)
		require.False(t, found.Hits[0].Same)
	}
}

// p is that of the test times the number of entries, and never larger than
// that of the same search among fewer.
func TestPIsCorrectedForTheEntriesSearched(t *testing.T) {
	dir := t.TempDir()
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	p := map[int]float64{}
	for _, n := range []int{9, 999} {
		path := filepath.Join(dir, fmt.Sprint(n))
		_, err := index.Add(path, append(strangers(one, n, 1), index.Entry{Name: "one", Fingerprint: one})...)
		require.NoError(t, err)
		found, err := open(t, path).Search(context.Background(), one, 1, -7)
		require.NoError(t, err)
		p[n] = found.Hits[0].P.Log10()
	}
	require.InDelta(t, 2, p[999]-p[9], 1e-9)
}

func TestCopiesAreRecognised(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	a, err := index.Add(path, index.Entry{Name: "a", Fingerprint: f}, index.Entry{Name: "b", Fingerprint: f}, index.Entry{Name: "a", Fingerprint: f})
	require.NoError(t, err)
	require.Equal(t, index.Added{New: 2, Known: 1, Copies: []index.Copy{{Name: "b", Of: "a"}}}, a)
	a, err = index.Add(path, index.Entry{Name: "c", Fingerprint: f}, index.Entry{Name: "b", Fingerprint: f})
	require.NoError(t, err)
	require.Equal(t, index.Added{New: 1, Known: 1, Copies: []index.Copy{{Name: "c", Of: "a"}}}, a)
	found, err := open(t, path).Search(context.Background(), f, 9, -7)
	require.NoError(t, err)
	require.Len(t, found.Hits, 3)
	for _, h := range found.Hits {
		require.True(t, h.Same)
	}
}

func TestNamesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, name := range []string{"", string(make([]byte, 161))} {
		_, err := index.Add(path, entry(name, 1))
		require.ErrorIs(t, err, index.ErrName)
	}
}

// Whatever lies behind the committed records is not read, and the next writer
// goes on in its place.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	_, err := index.Add(path, entry("a", 1))
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, whole, 2048)
	details, err := os.ReadFile(path + ".details")
	require.NoError(t, err)
	for n := 0; n <= 1100; n += 97 {
		torn := filepath.Join(dir, fmt.Sprint("torn", n))
		require.NoError(t, os.WriteFile(torn, append(slices.Clone(whole), make([]byte, n)...), 0o600))
		require.NoError(t, os.WriteFile(torn+".details", append(slices.Clone(details), "half a record"...), 0o600))
		require.Equal(t, []string{"a"}, names(t, torn))
		_, err = index.Add(torn, entry("c", 3))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c"}, names(t, torn))
		_, err = open(t, torn).Entry(1)
		require.NoError(t, err)
	}
}

// A changed byte is an error, or lies where nothing is committed; the entries
// are never others than those that were added. So is every truncation.
func TestDamageIsFound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for i, name := range []string{"a", "b"} {
		_, err := index.Add(path, entry(name, uint64(i)))
		require.NoError(t, err)
	}
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	details, err := os.ReadFile(path + ".details")
	require.NoError(t, err)
	bad := filepath.Join(dir, "bad")
	try := func(b, d []byte) (good int) {
		require.NoError(t, os.WriteFile(bad, b, 0o600))
		require.NoError(t, os.WriteFile(bad+".details", d, 0o600))
		x, err := index.Open(bad)
		if err != nil {
			return -1
		}
		defer x.Close()
		all, err := x.Names()
		require.NoError(t, err)
		if len(x.Bad()) > 0 {
			return -1
		}
		for i := range all {
			if _, err := x.Entry(i); err != nil {
				require.True(t, errors.Is(err, fingerprint.ErrFile) || errors.Is(err, fingerprint.ErrVersion), "%v", err)
				return -1
			}
		}
		return len(all)
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(whole); i += step {
		b := slices.Clone(whole)
		b[i] ^= 1 << (i % 8)
		switch n := try(b, details); {
		case i >= 1024:
			require.Equal(t, -1, n, "byte %d", i)
		case n >= 0: // one of the two headers may be lost: then the other counts
			require.Contains(t, []int{1, 2}, n, "byte %d", i)
		}
	}
	for n := 1024; n < len(whole); n += 31 {
		require.Equal(t, -1, try(whole[:n], details), "cut at %d", n)
	}
	for i := 0; i < len(details); i += 7 * step {
		d := slices.Clone(details)
		d[i] ^= 0x10
		require.Equal(t, -1, try(whole, d), "details byte %d", i)
	}
	// Details of another index are not taken for these.
	_, err = index.Add(filepath.Join(dir, "other"), entry("a", 8), entry("b", 9))
	require.NoError(t, err)
	other, err := os.ReadFile(filepath.Join(dir, "other.details"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(bad, whole, 0o600))
	require.NoError(t, os.WriteFile(bad+".details", other, 0o600))
	_, err = open(t, bad).Entry(0)
	require.ErrorIs(t, err, index.ErrCorrupt)
}

// Sixteen writers with handles of their own add a thousand records each.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	const writers = 16
	each, together := 400, 50
	switch {
	case testing.Short():
		each = 50
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		each = 1000
	}
	path := filepath.Join(t.TempDir(), "x")
	small := fingerprinttest.Of(fingerprinttest.Small, 1, sketchOnly)
	small.Sketches = small.Sketches[:1]
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			w, err := index.OpenWriter(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer w.Close()
			for first := 0; first < each; first += together {
				var some []index.Entry
				for i := first; i < min(first+together, each); i++ {
					some = append(some, index.Entry{Name: fmt.Sprint(n, "/", i), Fingerprint: small})
				}
				if a, err := w.Add(some...); err != nil || a.New != len(some) {
					t.Error(a, err)
				}
			}
		})
	}
	wg.Wait()
	all := names(t, path)
	require.Len(t, all, writers*each)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), writers*each)
	x := open(t, path)
	for i := 0; i < x.Len(); i += 101 {
		_, err := x.Entry(i)
		require.NoError(t, err)
	}
}

// Merging is commutative and associative to the byte, and does not mind an
// index given twice.
func TestMergeInAnyOrderAndGrouping(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, all := range map[string][]index.Entry{
		"a": {entry("a", 1), entry("both", 3)},
		"b": {entry("both", 3), entry("b", 2), entry("same name", 4)},
		"c": {entry("same name", 5), entry("a", 1)},
	} {
		_, err := index.Add(at(name), all...)
		require.NoError(t, err)
	}
	merge := func(to string, from ...string) []byte {
		for i := range from {
			from[i] = at(from[i])
		}
		require.NoError(t, index.Merge(at(to), from...))
		records, err := os.ReadFile(at(to))
		require.NoError(t, err)
		details, err := os.ReadFile(at(to) + ".details")
		require.NoError(t, err)
		return append(records, details...)
	}
	want := merge("abc", "a", "b", "c")
	require.Equal(t, want, merge("cba", "c", "b", "a"))
	merge("ab", "a", "b")
	require.Equal(t, want, merge("(ab)c", "ab", "c"))
	merge("bc", "b", "c")
	require.Equal(t, want, merge("a(bc)", "a", "bc"))
	require.Equal(t, want, merge("again", "abc", "abc", "b"))
	require.Len(t, names(t, at("abc")), 5)
	require.ErrorContains(t, index.Merge(at("abc"), at("a")), "exists")
	require.ErrorIs(t, index.Merge(at("new"), at("none")), os.ErrNotExist)
	// A merged index goes on like any other.
	_, err := index.Add(at("abc"), entry("more", 9))
	require.NoError(t, err)
	require.Len(t, names(t, at("abc")), 6)
}
