package exact_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/exact"
)

// run compares two models with the tests of one stage.
func run(t testing.TB, a, b *zoo.Model, seed uint64, stage int) []similarity.Evidence {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, binary.LittleEndian.AppendUint64(nil, seed), align.NoLimit)
	e, err := similarity.Run(context.Background(), p, append(exact.Tests(stage), exact.LabelE(stage)))
	require.NoError(t, err)
	return e
}

// pairs is the number of independent pairs simulated under the null; 20,000 where
// WEIGHTPRINT_LONG is set.
func pairs(t *testing.T) int {
	switch {
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		return 20000
	case testing.Short():
		return 1000
	}
	return 2000
}

// inParallel runs f for 0…n−1 on all processors.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// Under the null every pooled p-value is uniform or larger: over independent
// pairs of random shapes and quirks, the share below a level stays within the
// upper end of the 99 % binomial band around it, for each test and component.
func TestNullIsSuperUniform(t *testing.T) {
	n := pairs(t)
	levels := []float64{.1, .01, .001}
	rejected := map[string][]int{}
	given := map[string]int{}
	var mu sync.Mutex
	inParallel(n, func(i int) {
		r := rand.New(rand.NewPCG(uint64(i), 77))
		s := zoo.Shape{Layers: 1 + r.IntN(3), Hidden: 17 + r.IntN(30), Width: 16 + r.IntN(64), Heads: 2, KVHeads: 1 + r.IntN(2), HeadDim: 16, Vocab: 20 + r.IntN(60), Untied: r.IntN(2) == 0}
		quirks := func() zoo.Quirks {
			return zoo.Quirks{Ties: []float64{0, 0, .3}[r.IntN(3)], Coarse: []float64{0, .5}[r.IntN(2)], Common: []float64{0, 3}[r.IntN(2)], Heavy: r.IntN(4) == 0, Correlated: r.IntN(4) == 0}
		}
		a, b := zoo.Random(r, s, quirks()), zoo.Random(r, s, quirks())
		found := run(t, a, b, uint64(i), 0)
		mu.Lock()
		defer mu.Unlock()
		for _, e := range found {
			if e.P == nil || e.LayerB >= 0 {
				continue
			}
			key := e.Test + "/" + e.Component
			given[key]++
			if rejected[key] == nil {
				rejected[key] = make([]int, len(levels))
			}
			for k, level := range levels {
				if e.P.Log10() <= math.Log10(level) {
					rejected[key][k]++
				}
			}
		}
	})
	require.Len(t, given, 15, "five tests on three components")
	for key, counts := range rejected {
		m := float64(given[key])
		require.Greater(t, m, 0.2*float64(n), "%s gives a p-value often enough to be judged", key)
		for k, level := range levels {
			most := m*level + 2.58*math.Sqrt(m*level*(1-level)) + 1
			require.LessOrEqual(t, float64(counts[k]), most, "%s at %g", key, level)
		}
		t.Logf("%-26s %6d pairs, rejected %v", key, given[key], counts)
	}
}
