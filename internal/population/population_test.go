package population_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/population"
)

// Networks share nothing, and are the same each time.
func TestMembers(t *testing.T) {
	const shape = 0
	x, again, y := population.Member(shape, 0), population.Member(shape, 0), population.Member(shape, 1)
	require.Zero(t, adversary.Gap(x, again))
	require.Greater(t, adversary.Gap(x, y), 0.3)
	require.Less(t, adversary.Measure(x, y).Cosine, 0.05)
}

// Pairs share what their stratum says.
func TestStrata(t *testing.T) {
	const shape = 0
	own := []*adversary.Decoder{population.Member(shape, 0), population.Member(shape, 1)}
	alike := map[string]bool{"shared-init": true, "other-order": true, "formula": true, "tuned": true}
	seen := map[string]bool{}
	for _, s := range population.Strata {
		require.False(t, seen[s.Name])
		seen[s.Name] = true
		if s.Arranged {
			continue
		}
		a, b := s.Make(shape, 0, own)
		require.Greater(t, adversary.Gap(a, b), 0.02, s.Name)
		if l := adversary.Measure(a, b); alike[s.Name] {
			require.False(t, s.Independent, s.Name)
			require.Greater(t, l.Cosine, 0.3, s.Name)
		} else {
			require.Less(t, l.Cosine, 0.1, s.Name)
		}
	}
}
