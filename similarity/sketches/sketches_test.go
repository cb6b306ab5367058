package sketches_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Under the null the p-values are no smaller than they say: among strangers,
// drawn as models and as bits.
func TestStrangers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	tests := map[string]bool{}
	for _, o := range []*fingerprint.Options{nil, {Version: 1}} { // with tokens, and with the residual stream in their place
		one := fingerprinttest.Of(fingerprinttest.Middle, 1, o)
		other := []*fingerprint.Fingerprint{fingerprinttest.Of(fingerprinttest.Middle, 2, o), fingerprinttest.Of(fingerprinttest.Middle, 3, o)}
		for range 1000 {
			other = append(other, fingerprinttest.Like(one, r))
		}
		below := map[string][3]int{}
		for _, o := range other {
			for _, e := range sketches.Run(one, o) {
				if e.P == nil || e.LayerB >= 0 {
					continue
				}
				c := below[e.Test]
				for k, level := range []float64{0.1, 0.01, 0.001} {
					if float64(*e.P) <= math.Log(level) {
						c[k]++
					}
				}
				below[e.Test], tests[e.Test] = c, true
			}
		}
		for test, c := range below {
			// 99.9 % points of the binomial distributions of 1,002 pairs.
			require.LessOrEqual(t, c[0], 131, test)
			require.LessOrEqual(t, c[1], 22, test)
			require.LessOrEqual(t, c[2], 7, test)
		}
	}
	require.Len(t, tests, sketches.ExactTests)
}

// Signs of little-used tokens are fair coins between strangers, and give a p of
// at least what so many coins would; a copy whose every unit is another is found
// by them, with a quarter of the signs turned.
func TestTokenSigns(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 2))
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	of := func(o *fingerprint.Fingerprint) similarity.Evidence {
		for _, e := range sketches.Run(one, o) {
			if e.Test == "token-signs" {
				return e
			}
		}
		return similarity.Evidence{}
	}
	const trials = 400
	sum := 0.0
	for range trials {
		e := of(fingerprinttest.Like(one, r))
		require.Zero(t, *e.P)
		require.Greater(t, e.N, 90)
		sum += e.Statistic - float64(e.N)/2
	}
	require.Less(t, sum/trials, 4*math.Sqrt(95.0/4/trials)) // ties count against

	copied := fingerprinttest.Like(one, r)
	copied.Tokens = one.Tokens
	require.InDelta(t, -float64(of(copied).N)*math.Log10(2), of(copied).P.Log10(), 1e-6)
	turned := *one.Tokens
	turned.Signs = append([]uint64(nil), turned.Signs...)
	for k := range turned.Signs[:len(turned.Signs)-1] {
		turned.Signs[k] ^= r.Uint64() & r.Uint64() & r.Uint64() // one in eight
	}
	copied.Tokens = &turned
	e := of(copied)
	require.InDelta(t, 0.75, e.Effect, 0.06)
	require.Less(t, e.P.Log10(), -15.0)

	few := *one.Tokens // a third of the tokens are common: learning might explain that
	few.Rows, few.Signs = few.Rows[:30], few.Signs[:3]
	copied.Tokens = &few
	require.Zero(t, *of(copied).P)
	copied.Tokens = nil
	require.NotEmpty(t, of(copied).Skipped)
}

// A layer that stands twice counts once.
func TestRepeatedLayersCountOnce(t *testing.T) {
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	twice := *one
	for i, s := range one.Sketches[1:] {
		s.Axis = fmt.Sprintf("main.layers.%d.mlp", 6+i)
		twice.Sketches = append(twice.Sketches[:len(twice.Sketches):len(twice.Sketches)], s)
	}
	a, b := sketches.Run(one, one)[0], sketches.Run(&twice, &twice)[0]
	require.Equal(t, a.Statistic, b.Statistic)
	require.Equal(t, *a.P, *b.P)
}

// Layers of one model that hold different units of one layer of another are no
// repeats of each other; what they say of that layer is said once all the same.
func TestOneLayerIsTakenOnce(t *testing.T) {
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	r := rand.New(rand.NewPCG(4, 2))
	other := fingerprinttest.Like(one, r)
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
		for _, e := range sketches.Run(pair[0], pair[1]) {
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
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	sorted := *one
	sorted.Tokens = nil
	sorted.Sketches = append([]fingerprint.Sketch(nil), one.Sketches...)
	for i := range sorted.Sketches {
		n := len(sorted.Sketches[i].Units)
		sorted.Sketches[i].Trend = n * (n - 1) / 2
	}
	for _, e := range sketches.Run(&sorted, one) {
		require.Nil(t, e.P, e.Test)
		require.NotEmpty(t, e.Skipped, e.Test)
	}
	require.False(t, sketches.Testable(&sorted))
}

func TestBestIsCorrectedForAllTests(t *testing.T) {
	p, q := stats.LogP(-20), stats.LogP(-30)
	e, log := sketches.Best([]similarity.Evidence{{P: &p, LayerB: -1}, {P: &q, LayerB: 3}, {LayerB: -1}})
	require.Equal(t, &p, e.P)
	require.InDelta(t, -20+math.Log(sketches.ExactTests), float64(log), 1e-12)
	e, log = sketches.Best(nil)
	require.Nil(t, e)
	require.Zero(t, log)
}

func Example() {
	model := fingerprinttest.Of(fingerprinttest.Middle, 1, nil) // fingerprints of two models
	best, p := sketches.Best(sketches.Run(model, model))
	fmt.Println(best.Test, p.Log10() < -9)
	// Output: probe-order true
}
