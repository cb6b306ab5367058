package sketches

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

// fixedSlowly is fixed as its words say it: all units of A are looked at.
func fixedSlowly(a, b *fingerprint.Sketch) (hits, n int) {
	for j := range b.Units {
		best, least := -1, math.MaxInt
		for _, i := range relabelling(len(a.Units)) {
			if d := a.Distance(i, b, j); a.Eligible[i] && d < least {
				best, least = i, d
			}
		}
		if b.Eligible[j] && best >= 0 {
			n++
			if best == j {
				hits++
			}
		}
	}
	return hits, n
}

func TestFixedPointsAsTheirWordsSay(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	total := 0
	for k := range 400 {
		share := float64(k%40) / 80
		a, b := fingerprinttest.Like(one, r), fingerprinttest.Child(one, share, r)
		if k%2 == 0 {
			a = one
		}
		for i := range a.Sketches {
			sa, sb := a.Sketches[i], b.Sketches[i]
			sa.Eligible, sb.Eligible = slices.Clone(sa.Eligible), slices.Clone(sb.Eligible)
			sa.Words, sb.Words = slices.Clone(sa.Words), slices.Clone(sb.Words)
			for u := range sa.Eligible {
				sa.Eligible[u], sb.Eligible[u] = r.IntN(8) < k%9, r.IntN(4) > 0
			}
			for u := range 2 * (k % 5) { // equal units, so that distances are equal
				from, to := 2*r.IntN(len(sa.Units)), 2*(u%len(sa.Units))
				copy(sa.Words[to:to+2], sa.Words[from:from+2])
			}
			hits, n := fixed(&sa, &sb)
			wantHits, wantN := fixedSlowly(&sa, &sb)
			require.Equal(t, wantHits, hits)
			require.Equal(t, wantN, n)
			total += hits
		}
	}
	require.Positive(t, total)
}

// Signs of the very same tokens are counted from bits as from tables.
func TestSignsOfTheSameTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	for range 50 {
		a, b := fingerprinttest.Like(one, r).Tokens, fingerprinttest.Like(one, r).Tokens
		require.Equal(t, a.Rows, b.Rows)
		pa, pb := productsOf(a), productsOf(b)
		require.Equal(t, pa.along(pb, shared(a.Rows, b.Rows)), pb.sameTokens(a.Signs))
		all := pa.sameTokens(a.Signs)
		require.Equal(t, all.pairs, all.total)
		require.Equal(t, all.tokens, all.agree)
	}
}
