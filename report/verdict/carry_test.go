package verdict

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/carry"
)

// sides is a measurement with the given weights and shares.
func sides(weightA, weightB, shareA, shareB float64) *Carry {
	side := func(weight, share float64) carry.Side {
		return carry.Side{Units: 1000, Agreeing: int(1000 * share), Heads: 10, Without: weight, Random: 1, Block: 2, Empty: 4, WithoutLeast: weight / 2, RandomLeast: 0.5}
	}
	return NewCarry(&carry.Result{Measured: true, A: weightA / 2, B: weightB / 2, Layers: 6, Coordinates: "raw", Sides: [2]carry.Side{side(weightA, shareA), side(weightB, shareB)}}, "")
}

// spoken is a measurement of a B that only some of its tokens set to work on what agrees.
func spoken() *Carry {
	c := sides(1, 3, 1, 0.5)
	c.Least[1] = 0.01
	return c
}

// The carry drops passengers where both sides rest on what agrees and that is much,
// names one where one side alone does, and else leaves them open. What it cannot
// touch is left as it was.
func TestCarryDecidesAboutPassengers(t *testing.T) {
	for _, c := range []struct {
		name   string
		carry  *Carry
		first  string // words of the first alternative
		has    []string
		hasNot []string
		read   Direction
	}{
		{"not asked", nil, commonAncestor, []string{passenger}, []string{passengerOpen}, ""},
		{"not measured", NewCarry(nil, "no reason"), commonAncestor, []string{passenger}, []string{passengerOpen}, ""},
		{"both rest on it", sides(1, 0.9, 1, 0.7), commonAncestor, nil, []string{passenger, passengerOpen}, ""},
		{"both, but on few units", sides(1, 0.9, 1, 0.3), commonAncestor, []string{passengerOpen}, []string{passenger}, ""},
		{"B is given it", sides(1, 0.1, 1, 0.5), "planted in B", nil, []string{passenger, passengerOpen}, AToB},
		{"A is given it", sides(0, 0.4, 0.5, 0.4), "planted in A", nil, []string{passenger, passengerOpen}, BToA},
		{"neither rests on it", sides(0.1, 0.1, 1, 1), commonAncestor, []string{passengerOpen}, []string{passenger}, ""},
		{"B on some of its tokens", spoken(), commonAncestor, []string{passengerOpen}, []string{passenger}, ""},
		{"between", sides(1, 0.4, 1, 1), commonAncestor, []string{passengerOpen}, []string{passenger}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Verdict{Relation: Related, Direction: Undetermined, Alternatives: slices.Clone(relatedAlternatives)}
			v.carried(c.carry)
			require.Contains(t, v.Alternatives[0], c.first)
			for _, x := range c.has {
				require.Contains(t, v.Alternatives, x)
			}
			for _, x := range c.hasNot {
				require.NotContains(t, v.Alternatives, x)
			}
			require.Equal(t, c.read != "", v.Reading != nil)
			if v.Reading != nil {
				require.Equal(t, c.read, v.Reading.Direction)
			}
			require.Equal(t, Undetermined, v.Direction)
			require.Equal(t, c.carry != nil && c.carry.Measured, len(v.Because) == 1 && strings.HasPrefix(v.Because[0], "carry: "))
		})
	}
	require.Contains(t, relatedAlternatives, passenger) // the list itself stays
}

// Where nothing else was concluded, a passenger is named only if there is one.
func TestCarryWithoutARelation(t *testing.T) {
	v := Verdict{Relation: Inconclusive, Alternatives: []string{SameInit}}
	v.carried(sides(1, 1, 1, 1))
	require.Equal(t, []string{SameInit}, v.Alternatives)
	v.carried(sides(1, 0, 1, 0.5))
	require.Contains(t, v.Alternatives[0], "planted in B")
	for _, r := range []Relation{NoEvidence, Identical, Reencoded} {
		v = Verdict{Relation: r}
		v.carried(sides(1, 0, 1, 0.5))
		require.Empty(t, v.Alternatives)
	}
}
