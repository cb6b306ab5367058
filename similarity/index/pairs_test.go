package index

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/stats"
)

// child flips a share of the bits of a fingerprint's sketches, and of little-used
// tokens.
func child(f *fingerprint.Fingerprint, share float64, r *rand.Rand) *fingerprint.Fingerprint {
	c := fingerprinttest.Like(f, r)
	for i := range c.Sketches {
		for w := range c.Sketches[i].Words {
			c.Sketches[i].Words[w] = f.Sketches[i].Words[w] ^ flips(share, r)
		}
	}
	return c
}

func flips(share float64, r *rand.Rand) (w uint64) {
	for b := range 64 {
		if r.Float64() < share {
			w |= 1 << b
		}
	}
	return w
}

// family is an index of strangers with some families among them: a parent, and
// children whose bits differ in a share.
func family(t *testing.T, strangers int) (x *Index, related map[[2]string]bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	var all []Entry
	for i := range strangers {
		all = append(all, Entry{fmt.Sprint("stranger ", i), fingerprinttest.Like(template, r)})
	}
	related = map[[2]string]bool{}
	for k := range 6 {
		parent := fingerprinttest.Like(template, r)
		names := []string{fmt.Sprint("parent ", k)}
		all = append(all, Entry{names[0], parent})
		for i := range 3 {
			name := fmt.Sprintf("child %d of %d", i, k)
			all = append(all, Entry{name, child(parent, 0.04+0.02*float64(i), r)})
			for _, n := range names {
				related[[2]string{n, name}] = true
			}
			names = append(names, name)
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	path := filepath.Join(t.TempDir(), "x")
	_, err := Add(path, all...)
	require.NoError(t, err)
	x, err = Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { x.Close() })
	return x, related
}

func pairsOf(t *testing.T, x *Index, first, last int64) (out []Pair) {
	t.Helper()
	require.NoError(t, x.Pairs(context.Background(), first, last, func(p Pair) error {
		out = append(out, p)
		return nil
	}))
	return out
}

// All members of planted families are connected, to each other and to nobody else,
// and the work shared by any ranges gives the same.
func TestPairsOfPlantedFamilies(t *testing.T) {
	x, related := family(t, 900)
	all := pairsOf(t, x, 0, math.MaxInt64)
	edges := Discover(all, x.Len(), 0.01)
	names, err := x.Names()
	require.NoError(t, err)
	found, trees, components := 0, 0, map[int64]int{}
	for _, e := range edges {
		a, b := names[e.A], names[e.B]
		require.True(t, related[[2]string{a, b}] || related[[2]string{b, a}], "%s, %s", a, b)
		found++
		if e.InTree {
			trees++
		}
		components[e.Component]++
	}
	require.GreaterOrEqual(t, found, 30, "of 36")
	require.Len(t, components, 6)
	require.GreaterOrEqual(t, trees, 17, "of 18: a few units of a network as small may be no ground for a test")
	var parts []Pair
	for _, cut := range [][2]int64{{0, 1}, {1, 300}, {300, 301}, {301, 700}, {700, math.MaxInt64}} {
		parts = append(parts, pairsOf(t, x, cut[0], cut[1])...)
	}
	require.Equal(t, all, parts)
	require.Equal(t, edges, Discover(parts, x.Len(), 0.01))
	for _, together := range []int64{1, 2, 3} { // of four blocks
		var some []Pair
		require.NoError(t, x.pairs(context.Background(), 0, math.MaxInt64, together, func(p Pair) error {
			some = append(some, p)
			return nil
		}))
		require.Equal(t, all, some)
	}
	x.column = nil // keys made from records
	require.Equal(t, all, pairsOf(t, x, 0, math.MaxInt64))
}

// Among strangers nothing is found, and the two limits leave few to be tested.
func TestPairsOfStrangers(t *testing.T) {
	x, _ := family(t, 0)
	require.NotEmpty(t, pairsOf(t, x, 0, math.MaxInt64))
	path := filepath.Join(t.TempDir(), "x")
	_, err := Add(path, some(0, 700)...)
	require.NoError(t, err)
	s, err := Open(path)
	require.NoError(t, err)
	defer s.Close()
	all := pairsOf(t, s, 0, math.MaxInt64)
	require.Less(t, len(all), 4, "of 244,650 pairs")
	require.Empty(t, Discover(all, s.Len(), 0.01))
}

// The rule of Benjamini and Yekutieli, by hand: of m = 10 pairs of 5 entries with
// H(10) = 2.929, the k-th smallest may be k·q/29.29.
func TestDiscover(t *testing.T) {
	of := func(a, b int64, p float64) Pair {
		l := stats.LogP(math.Log(p))
		return Pair{A: a, B: b, P: &l}
	}
	pairs := []Pair{of(0, 1, 0.003), of(0, 2, 0.006), of(1, 2, 0.012), of(3, 4, 0.5)}
	chosen := func(q float64) (n int) { return len(Discover(pairs, 5, q)) }
	require.Equal(t, 0, chosen(0.08)) // limits .0027, .0055, .0082
	require.Equal(t, 2, chosen(0.09)) // .0031, .0061, .0092
	require.Equal(t, 3, chosen(0.12)) // .0041, .0082, .0123
	require.Equal(t, 3, chosen(0.99)) // .1352 for the fourth
	edges := Discover(append(pairs, Pair{A: 3, B: 0, Same: true}), 5, 0.12)
	require.Len(t, edges, 4, "equal values need no p-value")
	trees := 0
	for _, e := range edges {
		require.EqualValues(t, 0, e.Component)
		if e.InTree {
			trees++
		}
	}
	require.Equal(t, 3, trees)
	require.Equal(t, []bool{true, true, false}, []bool{edges[0].InTree, edges[1].InTree, edges[2].InTree}, "the farthest side of the triangle is left out")
}

// Under the null, whatever the p-values, something is chosen in at most q of all
// cases: 2,000 draws of 45 p-values, of which 3 in 4 are copies of others.
func TestDiscoverUnderTheNull(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	const q, draws = 0.2, 2000
	found := 0
	for range draws {
		var pairs []Pair
		p := stats.LogP(0)
		for i := range int64(45) {
			if i%4 == 0 {
				p = stats.LogP(math.Log(1 - r.Float64()))
			}
			own := p
			pairs = append(pairs, Pair{A: i, B: i + 100, P: &own})
		}
		if len(Discover(pairs, 10, q)) > 0 {
			found++
		}
	}
	// The binomial's upper bound of four deviations; 1 draw in 30,000 goes beyond by chance.
	require.LessOrEqual(t, float64(found), draws*q+4*math.Sqrt(draws*q*(1-q)))
	require.Positive(t, found)
}
