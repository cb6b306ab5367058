package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/delta"
)

// Two trained matrices that are equal to rounding and a number for each row make a relation; one,
// or some that were read in part, or tables, do not.
func TestMultiples(t *testing.T) {
	one := delta.Change{Component: "generic", Complete: true, Scales: delta.RowScales{Rows: []int{0, 1}, By: []float64{2, 3}, Learned: true}}
	one.Stats.N = 4096 // none of them equal bit for bit
	part, table := one, one
	part.Complete = false
	table.Scales.Learned = false
	of := func(c ...delta.Change) *Facts { return &Facts{Storage: Storage{Changes: c}} }
	require.Contains(t, of(one, one).multiples(), "2 trained matrices")
	require.NotEmpty(t, of(one, one).content(Channels{}))
	for _, f := range []*Facts{of(one), of(one, part), of(one, table)} {
		require.Empty(t, f.multiples())
	}
}
