package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/similarity/index"
)

// zooRoots are the roots that the index holds, and ancestors what a search for
// each member has to bring first. Members of two families may bring either.
var zooRoots = []string{"r1", "r2", "r3", "r4", "r5", "r6", "r7"}

// zooAlone is of no root: it learned from the outputs of one.
const zooAlone = "distill-r1"

// Searched among the roots of the zoo and strangers, every descendant brings its
// root first, the disguised ones too. There are ten thousand strangers where WEIGHTPRINT_LONG is set;
// with fewer the p-values are held to what they would be among so many.
func TestSearchTheZoo(t *testing.T) {
	zoo, ok := vectors.Shared(t, "zoo")
	if !ok {
		t.Skip("no zoo")
	}
	if testing.Short() {
		t.Skip("takes long")
	}
	all := map[string]*fingerprint.Fingerprint{}
	dirs, err := os.ReadDir(zoo)
	require.NoError(t, err)
	for _, d := range dirs {
		p := quietly(-1)
		p.base = filepath.Join(zoo, "r1") // of the adapter
		if f, err := p.of(context.Background(), filepath.Join(zoo, d.Name())); err == nil {
			all[d.Name()] = f
		}
	}
	require.Greater(t, len(all), 50)
	r := rand.New(rand.NewPCG(1, 2))
	var entries []index.Entry
	strangers := 140
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		strangers = 10_000
	}
	for i := range strangers {
		entries = append(entries, index.Entry{Name: fmt.Sprint("stranger ", i), Fingerprint: fingerprinttest.Like(all["r1"], r)})
		if step := strangers / len(zooRoots); i%step == 0 && i/step < len(zooRoots) {
			name := zooRoots[i/step]
			entries = append(entries, index.Entry{Name: name, Fingerprint: all[name]})
		}
	}
	path := filepath.Join(t.TempDir(), "zoo")
	_, err = index.Add(path, entries...)
	require.NoError(t, err)
	x, err := index.Open(path)
	require.NoError(t, err)
	defer x.Close()
	for name, f := range all {
		found, err := x.Search(context.Background(), f, 10, -6.9) // p of 1e-3
		require.NoError(t, err)
		require.Equal(t, strangers+len(zooRoots), found.Searched)
		switch {
		case name == zooAlone:
			require.Empty(t, found.Hits, name)
			require.Empty(t, found.Leads, name)
		default:
			require.NotEmpty(t, found.Hits, name)
			h := found.Hits[0]
			t.Logf("%s: %s, p 1e%.1f by %s", name, h.Name, h.P.Log10(), h.Evidence.Test)
			require.Equal(t, rootOf(name), h.Name, name)
			require.LessOrEqual(t, h.P.Log10(), -9-math.Log10(float64(10_000/strangers)), name)
			for _, h := range found.Hits {
				require.NotContains(t, h.Name, "stranger", name)
			}
		}
	}
}

// rootOf is the root of a member by its name.
func rootOf(name string) string {
	for _, r := range zooRoots {
		if name == r || len(name) > 2 && name[:3] == r+"-" {
			return r
		}
	}
	return "r1" // franken, passthrough and transplant are mostly of r1
}
