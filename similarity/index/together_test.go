package index

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

// Searches that share a pass over the keys, and keys that are held in memory, change no
// answer.
func TestSearchesTogether(t *testing.T) {
	x, _ := family(t, 700)
	r := rand.New(rand.NewPCG(4, 4))
	var queries []*fingerprint.Fingerprint
	var want []*Found
	hits := 0
	for k := range together + 3 {
		f := fingerprinttest.Like(template, r)
		if k%3 > 0 {
			e, err := x.Entry(k * x.Len() / (together + 3))
			require.NoError(t, err)
			f = child(e.Fingerprint, 0.05*float64(k%3), r)
		}
		found, err := SearchIn(context.Background(), x, f, 5, -6.9)
		require.NoError(t, err)
		hits += len(found.Hits)
		queries, want = append(queries, f), append(want, found)
	}
	require.Greater(t, hits, together/3)
	for _, room := range []int64{0, columnBlock, 1 << 30} {
		for range 2 { // the second time from memory
			got, err := x.SearchAll(context.Background(), queries, 5, -6.9)
			require.NoError(t, err)
			require.Equal(t, want, got, "room for %d bytes", room)
		}
		x.Keep(room)
	}
	some, err := x.SearchAll(context.Background(), nil, 5, -6.9)
	require.NoError(t, err)
	require.Empty(t, some)
}
