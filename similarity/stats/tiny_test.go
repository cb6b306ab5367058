package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every bound is a probability whatever the counts are, and the sure one where
// nothing was seen.
func TestBoundsOfSmallCounts(t *testing.T) {
	for n := range 4 {
		for k := range 4 {
			for name, p := range map[string]LogP{
				"fixed points": FixedPoints(k, n), "ordered": Ordered(n, k), "signs": SignAgreements(k, n),
				"swaps": Swaps(float64(k), float64(n)), "Fisher": Fisher(make([]LogP, n)), "Bonferroni": Bonferroni(LogP(-k), n),
			} {
				require.False(t, math.IsNaN(float64(p)) || p > 0, "%s of %d, %d is %v", name, n, k, p)
				if k == 0 {
					require.Zero(t, p, "%s of %d", name, n)
				}
			}
		}
	}
}
