package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

// nearestOf sorts candidates and leaves the nearest, in the order of their numbers.
func nearestOf(all []candidate, keep int) []candidate {
	all = slices.Clone(all)
	slices.SortFunc(all, candidate.compare)
	all = all[:min(len(all), keep)]
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(a.entry, b.entry) })
	return all
}

// Lists keep what sorting all candidates would leave, also where several share the work.
func TestListKeepsTheNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	for range 300 {
		keep, n := 1+r.IntN(9), 1+r.IntN(90)
		parts := []list{newList(keep), newList(keep), newList(keep)}
		var all []candidate
		for i := range n {
			c := candidate{r.IntN(12) - 3, int64(i)}
			if r.IntN(5) == 0 {
				c.distance = math.MaxInt
			}
			all = append(all, c)
			parts[i*3/n].offer(c)
		}
		total := newList(keep)
		for _, p := range parts {
			p.cut()
			for _, c := range p.best {
				total.offer(c)
			}
		}
		total.cut()
		require.Equal(t, nearestOf(all, keep), total.best, "%d of %d", keep, n)
	}
}

// A relative is found wherever it stands among more entries than are screened.
func TestRelativesAreFoundAtTheEnd(t *testing.T) {
	one := fingerprinttest.Of(fingerprinttest.Small, 1, &fingerprint.Options{SketchOnly: true})
	r := rand.New(rand.NewPCG(2, 2))
	path := filepath.Join(t.TempDir(), "index")
	const n = 3 * Screened
	var all []Entry
	for i := range n {
		all = append(all, Entry{fmt.Sprint(i), fingerprinttest.Like(one, r)})
	}
	_, err := Add(path, all...)
	require.NoError(t, err)
	x, err := Open(path)
	require.NoError(t, err)
	defer x.Close()
	for _, k := range []int{5, n / 2, n - 5} {
		child := fingerprinttest.Child(all[k].Fingerprint, .05, r)
		near, err := x.Nearest(context.Background(), child, 1)
		require.NoError(t, err)
		require.Contains(t, near, int64(k), "entry %d of %d", k, n)
		guessesChangeNothing(t, x, child)
	}
}

// guessesChangeNothing requires what a pass without limits finds, whatever was guessed.
func guessesChangeNothing(t *testing.T, x *Index, f *fingerprint.Fingerprint) {
	ctx := context.Background()
	queries := []*asked{ask(f), ask(fingerprinttest.Like(f, rand.New(rand.NewPCG(8, 2))))}
	want, err := x.pass(ctx, queries, limitsOf(queries))
	require.NoError(t, err)
	guessed, err := x.guess(ctx, queries)
	require.NoError(t, err)
	require.Less(t, guessed[0][0], math.MaxInt)
	wrong := limitsOf(queries)
	copy(wrong[0][:], []int{1, 40, -30, math.MaxInt})
	for _, most := range [][][channels]int{guessed, wrong} {
		within, err := x.pass(ctx, queries, most)
		require.NoError(t, err)
		require.Equal(t, most[0][0] == wrong[0][0], within[0].short())
		got, err := x.screenWithin(ctx, queries, most)
		require.NoError(t, err)
		for i := range queries {
			require.Equal(t, want[i].same, got[i].same)
			for c := range channels {
				require.Equal(t, want[i].near[c].best, got[i].near[c].best, "query %d, kind %d", i, c)
			}
		}
	}
}
