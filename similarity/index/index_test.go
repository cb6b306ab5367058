package index_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/index"
)

var shape = zoo.Shape{Layers: 3, Hidden: 64, Width: 128, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 40}

func entry(t testing.TB, name string, seed uint64) index.Entry {
	t.Helper()
	f, err := fingerprint.Compute(context.Background(), zoo.Random(rand.New(rand.NewPCG(seed, 3)), shape, zoo.Quirks{}), &fingerprint.Options{SketchOnly: true})
	require.NoError(t, err)
	return index.Entry{Name: name, Fingerprint: f}
}

func TestSearchFindsTheOneAndNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	var all []index.Entry
	for i := range 300 { // more than are tested in full
		all = append(all, entry(t, fmt.Sprint("model ", i), uint64(i)))
	}
	n, err := index.Add(path, all...)
	require.NoError(t, err)
	require.Equal(t, 300, n)
	x, err := index.Open(path)
	require.NoError(t, err)
	hits, err := x.Search(context.Background(), entry(t, "q", 123).Fingerprint, 5, -7)
	require.NoError(t, err)
	require.Len(t, hits, 1)
	require.Equal(t, "model 123", hits[0].Name)
	hits, err = x.Search(context.Background(), entry(t, "q", 999).Fingerprint, 5, -7)
	require.NoError(t, err)
	require.Empty(t, hits)
}

// Whatever a killed writer left, the records before it are read, and the next
// writer goes on behind them.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	_, err := index.Add(path, entry(t, "a", 1), entry(t, "b", 2))
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := 1024; cut < len(whole); cut += 97 {
		torn := filepath.Join(dir, fmt.Sprint("torn", cut))
		details, err := os.ReadFile(path + ".details")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(torn, whole[:cut], 0o600))
		require.NoError(t, os.WriteFile(torn+".details", append(details, "half a record"...), 0o600))
		x, err := index.Open(torn)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, x.Names())
		_, err = index.Add(torn, entry(t, "c", 3))
		require.NoError(t, err)
		x, err = index.Open(torn)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c"}, x.Names())
		_, err = x.Entry(1)
		require.NoError(t, err)
	}
}

func TestDamageIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	_, err := index.Add(path, entry(t, "a", 1))
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[100] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err = index.Open(path)
	require.ErrorIs(t, err, index.ErrCorrupt)
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	const writers, each = 8, 10
	prints := make([]index.Entry, writers)
	for w := range prints {
		prints[w] = entry(t, "", uint64(w))
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := index.Add(path, index.Entry{Name: fmt.Sprint(w, "/", i), Fingerprint: prints[w].Fingerprint}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	x, err := index.Open(path)
	require.NoError(t, err)
	require.Equal(t, writers*each, x.Len())
	for i := range x.Len() {
		_, err := x.Entry(i)
		require.NoError(t, err)
	}
}

func TestMergeCommutes(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := index.Add(at("a"), entry(t, "a", 1), entry(t, "both", 3))
	require.NoError(t, err)
	_, err = index.Add(at("b"), entry(t, "both", 3), entry(t, "b", 2))
	require.NoError(t, err)
	require.NoError(t, index.Merge(at("ab"), at("a"), at("b")))
	require.NoError(t, index.Merge(at("ba"), at("b"), at("a")))
	for _, suffix := range []string{"", ".details"} {
		ab, err := os.ReadFile(at("ab" + suffix))
		require.NoError(t, err)
		ba, err := os.ReadFile(at("ba" + suffix))
		require.NoError(t, err)
		require.Equal(t, ab, ba)
	}
	x, err := index.Open(at("ab"))
	require.NoError(t, err)
	require.Equal(t, 3, x.Len())
}
