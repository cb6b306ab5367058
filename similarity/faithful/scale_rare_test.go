package faithful

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// rare are groups that quantisers treat in ways of their own: what they store of them, by
// the source that is named, and a number that no version of theirs stores.
var rare = []struct {
	name, rule    string
	fitted        bool
	usual         func(lo, hi float64) (scale, zero, bias float64)
	lo, hi        float32
	scale, zero   float64
	wrong, wrongZ float64
}{
	{"AutoAWQ, equal values", "the span of the values", false, spanned, .02, .02, 1e-5 / 15, 0, 1e-4 / 15, 0},
	{"AutoAWQ, equal values below zero", "the span of the values", false, spanned, -.02, -.02, 1e-5 / 15, 15, 1e-5 / 15, 3},
	{"HQQ, equal values", "the span of the values, zero-points fitted", true, spanned, .02, .02, 1, 2, .5, 2},
	{"HQQ before small spans were known", "the span of the values, zero-points fitted", true, spanned, .02, .02, 5e-5, 2, 1e-5, 2},
	{"HQQ, inverse scales of half precision", "the span of the values, zero-points fitted", true, spanned, .02, .0203, 5e-5, 2, .0003 / 15, 2},
	{"GPTQModel, no negative value", "the largest size over half the range of codes", false, func(lo, hi float64) (float64, float64, float64) { return max(hi, -lo) / 7.5, 8, 0 }, .01, .05, .05 / 15, 8, .05 / 10, 8},
}

func spanned(lo, hi float64) (scale, zero, bias float64) {
	s := (hi - lo) / 15
	return s, math.Round(-lo / s), 0
}

// Of 10,000 groups a sample is asked; those of a rare kind lie where it does not look, and the
// rule that explains them too is taken.
func TestRareGroups(t *testing.T) {
	for _, c := range rare {
		t.Run(c.name, func(t *testing.T) {
			a := groupsOf(9, false, c.usual)
			a.fitted = c.fitted
			for range 5 { // a sample takes every third of 12,800
				a.groups = append(a.groups, a.groups...)
				a.seen = &ranges{append(a.seen.lo, a.seen.lo...), append(a.seen.hi, a.seen.hi...), append(a.seen.seen, a.seen.seen...)}
			}
			const at = 3001
			require.NotZero(t, at%(len(a.groups)/askedGroups))
			a.seen.lo[at], a.seen.hi[at] = c.lo, c.hi
			for wrong, stored := range [][2]float64{{c.scale, c.zero}, {c.wrong, c.wrongZ}} {
				g := &a.groups[at]
				g.Scale, g.Zero = float32(stored[0]), float32(stored[1])
				g.Low, g.High = g.Scale*(1-0x1p-24), g.Scale*(1+0x1p-24)
				got := a.seen.ruleOf(a.groups, a, passages(tensor.BF16))
				require.NotNil(t, got)
				if wrong == 0 {
					require.Equal(t, c.rule, got.rule)
					require.NotContains(t, got.of, Deviates)
					require.NotContains(t, got.of, Open)
				} else {
					require.Equal(t, Deviates, got.of[at])
				}
			}
		})
	}
}
