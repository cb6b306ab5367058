package screen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/prints"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/screen"
)

// Under the null the p-values are no smaller than they say: among strangers,
// drawn as models and as bits.
func TestStrangers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	one := prints.Of(prints.Middle, 1, nil)
	other := []*fingerprint.Fingerprint{prints.Of(prints.Middle, 2, nil), prints.Of(prints.Middle, 3, nil)}
	for range 1000 {
		other = append(other, prints.Like(one, r))
	}
	below := map[string][3]int{}
	for _, o := range other {
		for _, e := range screen.Run(one, o) {
			if e.P == nil || e.LayerB >= 0 {
				continue
			}
			c := below[e.Test]
			for k, level := range []float64{0.1, 0.01, 0.001} {
				if float64(*e.P) <= math.Log(level) {
					c[k]++
				}
			}
			below[e.Test] = c
		}
	}
	require.Len(t, below, screen.Looks)
	for test, c := range below {
		// 99.9 % points of the binomial distributions of 1,002 pairs.
		require.LessOrEqual(t, c[0], 131, test)
		require.LessOrEqual(t, c[1], 22, test)
		require.LessOrEqual(t, c[2], 7, test)
	}
}

// A layer that stands twice counts once.
func TestRepeatedLayersCountOnce(t *testing.T) {
	one := prints.Of(prints.Middle, 1, nil)
	twice := *one
	for i, s := range one.Sketches[1:] {
		s.Axis = fmt.Sprintf("main.layers.%d.mlp", 6+i)
		twice.Sketches = append(twice.Sketches[:len(twice.Sketches):len(twice.Sketches)], s)
	}
	a, b := screen.Run(one, one)[0], screen.Run(&twice, &twice)[0]
	require.Equal(t, a.Statistic, b.Statistic)
	require.Equal(t, *a.P, *b.P)
}

// Layers of one model that hold different units of one layer of another are no
// repeats of each other; what they say of that layer is said once all the same.
func TestOneLayerIsTakenOnce(t *testing.T) {
	one := prints.Of(prints.Middle, 1, nil)
	r := rand.New(rand.NewPCG(4, 2))
	other := prints.Like(one, r)
	source := one.Sketches[1]
	words := len(source.Words) / len(source.Units)
	for i := range other.Sketches {
		s := &other.Sketches[i]
		if !s.Alike(&source) {
			continue
		}
		s.Axis += ".other"
		for u := i % 3; u < len(s.Units); u += 3 {
			copy(s.Words[u*words:(u+1)*words], source.Words[u*words:(u+1)*words])
		}
	}
	once := 0
	for _, pair := range [][2]*fingerprint.Fingerprint{{one, other}, {other, one}} {
		hits := map[int]float64{}
		for _, e := range screen.Run(pair[0], pair[1]) {
			if e.Test == "sketch-fixed-points" && e.LayerB >= 0 {
				require.NotContains(t, hits, e.LayerA)
				hits[e.LayerA] = e.Statistic
				if e.Statistic >= 3 {
					once++
				}
			}
		}
	}
	require.GreaterOrEqual(t, once, 2)
}

// Sorted units are no ground for a test.
func TestSortedUnitsAreNotTested(t *testing.T) {
	one := prints.Of(prints.Middle, 1, nil)
	sorted := *one
	sorted.Sketches = append([]fingerprint.Sketch(nil), one.Sketches...)
	for i := range sorted.Sketches {
		n := len(sorted.Sketches[i].Units)
		sorted.Sketches[i].Trend = n * (n - 1) / 2
	}
	for _, e := range screen.Run(&sorted, one) {
		require.Nil(t, e.P, e.Test)
		require.NotEmpty(t, e.Skipped, e.Test)
	}
	require.False(t, screen.Testable(&sorted))
}

func TestBestIsCorrectedForAllTests(t *testing.T) {
	p, q := similarity.LogP(-20), similarity.LogP(-30)
	e, log := screen.Best([]similarity.Evidence{{P: &p, LayerB: -1}, {P: &q, LayerB: 3}, {LayerB: -1}})
	require.Equal(t, &p, e.P)
	require.InDelta(t, -20+math.Log(screen.Looks), float64(log), 1e-12)
	e, log = screen.Best(nil)
	require.Nil(t, e)
	require.Zero(t, log)
}

func Example() {
	model := prints.Of(prints.Middle, 1, nil) // fingerprints of two models
	best, p := screen.Best(screen.Run(model, model))
	fmt.Println(best.Test, p.Log10() < -9)
	// Output: probe-order true
}
