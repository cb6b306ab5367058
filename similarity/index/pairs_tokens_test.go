package index

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

// fewTokens draws a stranger of which 64 tokens are little used: a third of the pairs of
// rows, 672, are published, so that a quarter of the bits of its summary stand for none.
func fewTokens(r *rand.Rand) *fingerprint.Fingerprint {
	f := fingerprinttest.Like(template, r)
	t := &fingerprint.Tokens{Vocabulary: 1000}
	for i := range 64 {
		t.Rows = append(t.Rows, i)
	}
	for range 672 / 64 {
		t.Signs = append(t.Signs, r.Uint64())
	}
	t.Signs = append(t.Signs, r.Uint64()&(1<<32-1))
	f.Tokens = t
	return f
}

// Strangers with few tokens are not taken for near because bits of no tokens are the same;
// relatives that have nothing but these are.
func TestPairsOfFewTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 4))
	var all []Entry
	for i := range 300 {
		all = append(all, Entry{Name: string(rune('a' + i)), Fingerprint: fewTokens(r)})
	}
	for k, share := range []float64{0.05, 0.1, 0.2, 0.25} {
		f := fewTokens(r)
		for w, v := range all[70*k].Fingerprint.Tokens.Signs {
			f.Tokens.Signs[w] = v ^ flips(share, r)
		}
		f.Tokens.Signs[10] &= 1<<32 - 1
		all = append(all, Entry{Name: string(rune('A' + k)), Fingerprint: f})
	}
	path := filepath.Join(t.TempDir(), "x")
	_, err := Add(path, all...)
	require.NoError(t, err)
	x, err := Open(path)
	require.NoError(t, err)
	defer x.Close()
	found, others := 0, 0
	for _, p := range pairsOf(t, x, 0, int64(x.Len())) {
		if p.B >= 300 && p.A == 70*(p.B-300) {
			found++
		} else {
			others++
		}
	}
	require.Equal(t, 4, found)
	require.Less(t, others, 90, "of 46,000 pairs") // two in a thousand
}
