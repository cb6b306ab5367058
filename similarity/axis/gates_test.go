package axis

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows that stand unit by unit, gate by gate, are no blocks of gates: units that lie as many
// places apart as there are gates are alike where gates differ in kind. Blocks of gates are
// seen as exchangeable as units of one row are.
func TestInterleavedGatesAreNoUnits(t *testing.T) {
	const units, cols, seeds = 96, 32, 200
	for _, gates := range []int{3, 4} {
		flagged := map[bool]int{}
		for seed := range uint64(seeds) {
			r := rand.New(rand.NewPCG(seed, 0x6a7e))
			kind := make([]float64, gates) // how large the weights of a kind of gate are
			for k := range kind {
				kind[k] = 0.6 + 0.3*float64(k)
			}
			for _, interleaved := range []bool{false, true} {
				x := make([]float32, units*gates*cols)
				for u := range units {
					for g := range gates {
						k := g // block by block
						if interleaved {
							k = (g*units + u) % gates
						}
						for c := range cols {
							x[(u*gates+g)*cols+c] = float32(kind[k] * r.NormFloat64())
						}
					}
				}
				ok := allTrue(units)
				s := Rows{Raw: x, N: units, Dim: gates * cols}
				s.Centre(ok)
				if structured(x, s.Unit, units, gates*cols, ok, gramOf(s.Unit, units, gates*cols, ok), gates) != "" {
					flagged[interleaved]++
				}
			}
		}
		require.Equal(t, seeds, flagged[true], "%d gates", gates)
		require.LessOrEqual(t, flagged[false], 16, "%d gates", gates) // ≤ 3 % are expected; P(> 16 of 200) < 1e-4
	}
}
