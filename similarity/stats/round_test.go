package stats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/stats"
)

func TestRoundUp(t *testing.T) {
	for x, want := range map[float64]float64{0: 0, -1: -1, 0.0143: 0.015, 0.015: 0.015, 0.151: 0.16, 0.3: 0.3, 0.999: 1, 1: 1} {
		require.Equal(t, want, stats.RoundUp(x))
	}
}
