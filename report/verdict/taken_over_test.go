package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/delta"
)

// Matrices of unknown role count as taken over where they look trained, and once however
// often a file holds them.
func TestTakenOverOfUnknownRole(t *testing.T) {
	of := func(sum float64) delta.Change {
		c := delta.Change{Component: generic, Complete: true, Learned: true}
		c.Stats = delta.Stats{N: 4096, Equal: 4096, EqualNonzero: 4096, AA: 4096, BB: 4096, AB: 4096, SumA: sum, SumB: sum}
		c.Stats.Round = [2]int64{4096, 4096}
		return c
	}
	with := func(c delta.Change, change func(*delta.Change)) delta.Change { change(&c); return c }
	table := with(of(2), func(c *delta.Change) { c.Learned = false })
	part := func(sum float64) delta.Change {
		return with(of(sum), func(c *delta.Change) { c.Complete = false })
	}
	smaller := with(part(3), func(c *delta.Change) {
		c.Stats.N, c.Stats.Equal, c.Stats.Round = 2048, 2048, [2]int64{2048, 2048}
	})
	known := with(of(1), func(c *delta.Change) { c.Component, c.Learned = mlp, false })
	for name, c := range map[string]struct {
		changes []delta.Change
		want    int
	}{
		"two":                  {[]delta.Change{of(1), of(2)}, 2},
		"one twice":            {[]delta.Change{of(1), of(1)}, 1},
		"one and a table":      {[]delta.Change{of(1), table}, 1},
		"parts of two":         {[]delta.Change{part(1), part(2)}, 2},
		"parts of one":         {[]delta.Change{part(1), part(1)}, 1},
		"parts of two shapes":  {[]delta.Change{part(1), smaller}, 2},
		"of known role, twice": {[]delta.Change{known, known}, 2},
	} {
		f := &Facts{Storage: Storage{Changes: c.changes}}
		require.Equal(t, c.want, f.takenOver(), name)
	}
}
