package index_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

// rounds of a race: few, or 200 where there is time.
func rounds() int {
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		return 200
	}
	return 8
}

// whole requires that an index holds exactly these entries, all of them sound.
func whole(t *testing.T, path string, want []string) {
	t.Helper()
	got := names(t, path)
	slices.Sort(got)
	want = slices.Clone(want)
	slices.Sort(want)
	require.Equal(t, want, got)
	bad, err := open(t, path).Check(context.Background())
	require.NoError(t, err)
	require.Empty(t, bad)
}

// Three merges into one new index at once: one wins, the others say so, and the
// index is whole.
func TestConcurrentMerges(t *testing.T) {
	dir := t.TempDir()
	var from []string
	for k := range 3 {
		path := filepath.Join(dir, fmt.Sprint("from", k))
		_, err := index.Add(path, entry(fmt.Sprint("a", k), uint64(3*k+1)), entry(fmt.Sprint("b", k), uint64(3*k+2)))
		require.NoError(t, err)
		from = append(from, path)
	}
	for round := range rounds() {
		to := filepath.Join(dir, fmt.Sprint("to", round))
		var won atomic.Int64
		var wg sync.WaitGroup
		for k := range 3 {
			wg.Go(func() {
				switch err := index.Merge(to, from[k]); {
				case err == nil && !won.CompareAndSwap(0, int64(k+1)):
					t.Error("two merges report success")
				case err != nil && !errors.Is(err, os.ErrExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		k := won.Load() - 1
		require.GreaterOrEqual(t, k, int64(0), "round %d: nobody won", round)
		whole(t, to, []string{fmt.Sprint("a", k), fmt.Sprint("b", k)})
	}
}

// Merges, additions and removals at once, to one name that does not exist when
// they begin: what reported success is there, and nothing else is.
func TestEverybodyWritesAtOnce(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	_, err := index.Add(from, entry("m1", 101), entry("m2", 102))
	require.NoError(t, err)
	broken := filepath.Join(dir, "broken") // a merge that fails after it has begun gives the place up
	_, err = index.Add(broken, entry("m3", 103))
	require.NoError(t, err)
	change(t, broken+".details", 100)
	small := fingerprinttest.Of(fingerprinttest.Small, 1, sketchOnly)
	for round := range rounds() {
		to := filepath.Join(dir, fmt.Sprint("to", round))
		var mu sync.Mutex
		var want []string
		succeeded := func(names ...string) {
			mu.Lock()
			defer mu.Unlock()
			want = append(want, names...)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := index.Merge(to, from); err == nil {
					succeeded("m1", "m2")
				} else if !errors.Is(err, os.ErrExist) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if index.Merge(to, broken) == nil {
					t.Error("a merge of damaged details reports success")
				}
			})
		}
		for k := range 4 {
			wg.Go(func() {
				for i := range 3 {
					kept, gone := fmt.Sprint("kept ", k, i), fmt.Sprint("gone ", k, i)
					_, err := index.Add(to, index.Entry{Name: kept, Fingerprint: small}, index.Entry{Name: gone, Fingerprint: small})
					if err != nil {
						t.Error(err)
						return
					}
					succeeded(kept)
					if n, err := index.Remove(to, []string{gone}, nil); n != 1 || err != nil {
						t.Error(n, err)
					}
				}
			})
		}
		wg.Wait()
		whole(t, to, want)
	}
}
