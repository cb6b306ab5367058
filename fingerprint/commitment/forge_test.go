package commitment

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
)

// forger answers for a model that it committed to, but puts the sketches of
// other weights in place of some. It knows everything, so whatever it opens it
// opens rightly.
type forger struct {
	opening *Opening
	c       *Challenge
	w       *witness
	honest  *Response
	other   []Sketch
}

func newForger(t testing.TB, committed, other *zoo.Model) *forger {
	ctx := context.Background()
	o, err := Commit(ctx, committed, Secret{1})
	require.NoError(t, err)
	c, err := NewChallenge("beacon", 16, o.Commitment())
	require.NoError(t, err)
	f := &forger{opening: o, c: c}
	f.w, err = readUnits(ctx, committed, o, c)
	require.NoError(t, err)
	f.honest, err = Respond(ctx, committed, o, c, "")
	require.NoError(t, err)
	second, err := Commit(ctx, other, Secret{1})
	require.NoError(t, err)
	cheat, err := NewChallenge("beacon", 16, o.Commitment(), second.Commitment())
	require.NoError(t, err)
	w, err := readUnits(ctx, other, second, cheat)
	require.NoError(t, err)
	f.other = w.sketches(newProjector(c.Digest()))
	return f
}

// forge replaces the sketches of n pairs drawn at random, and opens what the
// second beacon value asks for.
func (f *forger) forge(r *rand.Rand, n int, beacon string) *Response {
	forged := *f.honest
	forged.Beacon = beacon
	forged.Answer.Sketches = nil
	var all []Spot
	for k, s := range f.honest.Answer.Sketches {
		s.Words = append([]uint64{}, s.Words...)
		forged.Answer.Sketches = append(forged.Answer.Sketches, s)
		for i := range s.Eligible {
			all = append(all, Spot{k, i})
		}
	}
	for _, i := range r.Perm(len(all))[:n] {
		s := all[i]
		copy(forged.Answer.Sketches[s.Axis].Words[s.Pair*sketchWords:], f.other[s.Axis].Words[s.Pair*sketchWords:][:sketchWords])
	}
	forged.Proofs = f.w.prove(f.opening, forged.Opened(f.c))
	return &forged
}

func network(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 3, Hidden: 64, Width: 128, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 20}
	return zoo.Random(rand.New(rand.NewPCG(seed, 5)), s, zoo.Quirks{})
}

// A response with forged sketches is found as often as the documents say: k
// opened of N, F forged, missed with C(N−F,k)/C(N,k) ≤ (1−F/N)^k. The rate of
// 160 seeded trials lies within 4 standard errors of that.
func TestForgedSketchesAreFoundAtTheStatedRate(t *testing.T) {
	f := newForger(t, network(1), network(2))
	total, _ := f.honest.Pairs()
	require.Equal(t, 36, total)
	trials := 160
	if testing.Short() {
		trials = 60
	}
	for _, n := range []int{1, 3, 8, 20} {
		r := rand.New(rand.NewPCG(uint64(n), 9))
		found := 0
		for i := range trials {
			_, err := f.c.Check(f.forge(r, n, string(rune('a'+i))))
			if err != nil {
				require.ErrorIs(t, err, ErrMismatch)
				found++
			}
		}
		p := 1 - MissProbability(total, n, f.c.Open)
		require.GreaterOrEqual(t, p, 1-math.Pow(1-float64(n)/float64(total), float64(f.c.Open)))
		rate, spread := float64(found)/float64(trials), math.Sqrt(p*(1-p)/float64(trials))
		t.Logf("%2d of %d forged, %d opened: found %d of %d, stated %.4f", n, total, f.c.Open, found, trials, p)
		require.InDelta(t, p, rate, 4*spread+1e-9, "%d forged", n)
	}
}

// Without a second beacon value the forger draws its own units to open, and a
// few tries are enough for few forgeries: this is why it is asked for.
func TestOwnDrawsCanBeTriedOut(t *testing.T) {
	f := newForger(t, network(1), network(2))
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		if _, err := f.c.Check(f.forge(r, 4, "")); err == nil {
			return
		}
	}
	t.Fatal("200 tries at one in 17 were not enough")
}

func TestMissProbability(t *testing.T) {
	require.InDelta(t, 1.0, MissProbability(10, 0, 5), 0)
	require.InDelta(t, 0.5, MissProbability(10, 1, 5), 1e-12)
	require.InDelta(t, 1.0/252, MissProbability(10, 5, 5), 1e-12)
	require.Zero(t, MissProbability(10, 6, 5))
}

// Every leaf of trees of all small sizes has a proof, and no proof leads to the
// root from another place, with another leaf, or at another length.
func TestProofs(t *testing.T) {
	for n := int64(1); n <= 33; n++ {
		leaves := make([]fingerprint.Digest, n)
		for i := range leaves {
			leaves[i] = fingerprint.Digest{byte(i), byte(n)}
		}
		root := rootOf(leaves...)
		for i := range n {
			proof := proofOf(leaves, i)
			got, ok := climb(leaves[i], i, n, proof)
			require.True(t, ok)
			require.Equal(t, root, got)
			for j := range n {
				if got, ok := climb(leaves[i], j, n, proof); ok && j != i {
					require.NotEqual(t, root, got)
				}
			}
			_, ok = climb(leaves[i], i, n, append(proof, fingerprint.Digest{}))
			require.False(t, ok)
			if n > 1 {
				_, ok = climb(leaves[i], i, n, proof[1:])
				require.False(t, ok)
			}
			got, _ = climb(fingerprint.Digest{255}, i, n, proof)
			require.NotEqual(t, root, got)
		}
		_, ok := climb(root, n, n, nil)
		require.False(t, ok)
	}
}
