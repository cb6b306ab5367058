package tokenfree_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// random makes gated blocks whose residual directions differ in strength, as
// training leaves them.
func random(r *rand.Rand, layers, units, hidden int, gated bool) (out []mlp.Block) {
	rows := func() []float32 {
		x := normal(r, units*hidden)
		for i := range x {
			x[i] *= 1 + 2*float32(i%hidden)/float32(hidden)
		}
		return x
	}
	for range layers {
		if gated {
			out = append(out, mlp.Gated(rows(), rows(), rows(), units, hidden))
		} else {
			out = append(out, mlp.Ungated(rows(), rows(), units, hidden))
		}
	}
	return out
}

func TestFindsADisguisedCopy(t *testing.T) {
	for _, gated := range []bool{true, false} {
		r := rand.New(rand.NewPCG(1, 1))
		a := random(r, 4, 160, 48, gated)
		for _, noise := range []float64{0, 0.1, 0.3} {
			got := tokenfree.CrossFit(t.Context(), a, disguised(r, a, noise), nil)
			require.Greater(t, got.Share(), 0.97, "gated %v, noise %v", gated, noise)
			require.InDelta(t, 1/(1+noise*noise), got.Cosine*got.Cosine, 0.03)
			require.Equal(t, 4*160, got.Tested)
		}
	}
}

func TestSeesWhatIsLeftOfAPrunedCopy(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	a := random(r, 4, 160, 48, true)
	b := disguised(r, a, 0.05)
	for i := range b {
		for _, views := range [][]mlp.View{b[i].First, b[i].Second} {
			for v := range views {
				views[v].Rows = views[v].Rows[:100*48]
			}
		}
		b[i].Units = 100
	}
	got := tokenfree.CrossFit(t.Context(), a, b, nil)
	require.Greater(t, got.Share(), 0.97)
	require.Equal(t, 4*100, got.Tested)
}

func TestKeepsItsCountUnderEveryArrangement(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	a, b := random(r, 4, 96, 32, true), random(r, 4, 96, 32, true)
	share := func(x, y []mlp.Block) float64 { return tokenfree.CrossFit(t.Context(), x, y, nil).Share() }
	require.Less(t, share(a, b), 0.04)
	for range 4 {
		require.Less(t, share(a, disguised(r, b, 0)), 0.04)
	}
}

func TestStrangersOfManyShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for _, shape := range [][2]int{{96, 24}, {128, 48}, {200, 64}} {
		for range 4 {
			got := tokenfree.CrossFit(t.Context(), random(r, 4, shape[0], shape[1], true), random(r, 4, shape[0], shape[1], true), nil)
			require.LessOrEqual(t, got.Agree, got.Tested/25, "%v", shape)
		}
	}
}

func TestReadsOnlyLeadingDirectionsWhereAsked(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	a := random(r, 4, 300, 96, true)
	got := tokenfree.CrossFit(t.Context(), a, disguised(r, a, 0.1), &tokenfree.Options{Dims: 48, Units: 200})
	require.Equal(t, 48, got.Dims)
	require.Equal(t, 4*200, got.Tested)
	require.Greater(t, got.Share(), 0.9)
}

func TestHoldsOutALayer(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	a := random(r, 1, 64, 32, true)
	require.Nil(t, tokenfree.CrossFit(t.Context(), a, a, nil), "one layer cannot be held out")
	require.Nil(t, tokenfree.CrossFit(t.Context(), nil, nil, nil))
}

func TestSurvivesEmptyUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	a := random(r, 2, 64, 32, true)
	clear(a[0].First[0].Rows[:20*32])
	clear(a[1].Second[1].Rows)
	got := tokenfree.CrossFit(t.Context(), a, a, nil)
	require.Equal(t, 44, got.Layers[0].Tested, "zero rows are not tested")
	require.Zero(t, got.Layers[1].Tested)
}

// TestIsTheSameOnEveryRun holds two runs against each other, and the sampled
// units against another seed.
func TestIsTheSameOnEveryRun(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	a := random(r, 2, 200, 48, true)
	b := disguised(r, a, 0.8)
	o := &tokenfree.Options{Seed: []byte("one"), Units: 100, Dims: 32}
	require.Equal(t, tokenfree.CrossFit(t.Context(), a, b, o), tokenfree.CrossFit(t.Context(), a, b, o))
	other := *o
	other.Seed = []byte("two")
	require.NotEqual(t, tokenfree.CrossFit(t.Context(), a, b, o).Cosine, tokenfree.CrossFit(t.Context(), a, b, &other).Cosine)
}

// TestNoRotationReachesTheCeiling turns strangers into the best rotation that
// an optimiser finds for all layers at once. It makes many units agree where a
// layer has few units for its width, never as many as the ceiling; and of all
// that nothing is left once the layers to fit on and to try are not the same.
func TestNoRotationReachesTheCeiling(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	for _, shape := range [][3]int{{64, 24, 1}, {96, 32, 2}, {96, 24, 4}} {
		units, hidden, layers := shape[0], shape[1], shape[2]
		a, b := random(r, layers, units, hidden, true), random(r, layers, units, hidden, true)
		best, cosine := 0.0, 0.0
		for _, aim := range []float64{1, 0.6, 0.35} {
			got := tokenfree.Arranged(a, b, aim, &tokenfree.Options{Rounds: 20})
			best, cosine = max(best, got.Share()), max(cosine, got.Cosine)
		}
		share, most := tokenfree.Ceiling(hidden, units, layers)
		t.Logf("%v: share %.3f of %.3f, cosine %.3f of %.3f", shape, best, share, cosine, most)
		require.Less(t, best, share, "%v", shape)
		require.Less(t, cosine, most, "%v", shape)
		require.Greater(t, best, share/4, "the attack works: %v", shape)
		if layers > 1 {
			require.Less(t, tokenfree.CrossFit(t.Context(), a, b, nil).Share(), 0.05)
		}
	}
}

func TestCounterparts(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	a := random(r, 5, 128, 32, true)
	b := disguised(r, a, 0.02)
	require.Equal(t, [][2]int{{0, 0}, {2, 1}, {3, 2}}, tokenfree.Counterparts(t.Context(), a, []mlp.Block{b[0], b[2], b[3]}, nil))
	require.Empty(t, tokenfree.Counterparts(t.Context(), a, random(r, 4, 128, 32, true), nil))
	require.Empty(t, tokenfree.Counterparts(t.Context(), nil, b, nil))
}

// The diagonal of the scores is what the cross-fit counts, and beside it there is only
// what strangers show.
func TestScoresShowTheDiagonal(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	a := random(r, 4, 160, 48, true)
	b := disguised(r, a, 0.1)
	got := tokenfree.CrossFit(t.Context(), a, b, nil)
	counts, units := tokenfree.CrossScores(t.Context(), a, b, nil)
	require.Equal(t, 160, units)
	for j, row := range counts {
		require.Len(t, row, 4)
		require.Equal(t, got.Layers[j].Agree, row[j])
		for i, n := range row {
			if i != j {
				require.Less(t, n, 16)
			}
		}
	}
	counts, _ = tokenfree.CrossScores(t.Context(), a[:1], b[:1], nil)
	require.Nil(t, counts)
}
