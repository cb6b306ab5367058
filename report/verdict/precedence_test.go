package verdict

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity"
)

const (
	dayOne Time = "2024-03-01T00:00:00Z"
	dayTwo Time = "2024-03-02T00:00:00Z"
	later  Time = "2024-04-01T00:00:00Z"
)

// relatives are facts that make a relation.
func relatives() Facts {
	return Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.99), gainsOf(0.99)}}
}

func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		dates     Dates
		none      bool
		direction Direction // of the precedence
		stated    Direction // by the verdict
		story     string
	}{
		{Dates{}, true, "", Undetermined, ""},
		{Dates{NoAccess: true}, true, "", Undetermined, ""},
		{Dates{By: [2]Time{dayOne, ""}, NoAccess: true}, false, Undetermined, Undetermined, "A existed by 2024-03-01T00:00:00Z; no dated record of B was given"},
		{Dates{By: [2]Time{"", dayOne}, NoAccess: true}, false, Undetermined, Undetermined, "B existed by 2024-03-01T00:00:00Z; no dated record of A was given"},
		{Dates{By: [2]Time{dayOne, dayOne}, NoAccess: true}, false, Undetermined, Undetermined, "A existed by 2024-03-01T00:00:00Z and B by 2024-03-01T00:00:00Z; neither is dated before the other"},
		{Dates{By: [2]Time{dayOne, dayTwo}}, false, AToB, Undetermined, "A existed by 2024-03-01T00:00:00Z; no record of B before 2024-03-02T00:00:00Z was given"},
		{Dates{By: [2]Time{dayOne, dayTwo}, NoAccess: true}, false, AToB, AToB, "A existed by 2024-03-01T00:00:00Z; no record of B before 2024-03-02T00:00:00Z was given"},
		{Dates{By: [2]Time{dayTwo, dayOne}, NoAccess: true}, false, BToA, BToA, "B existed by 2024-03-01T00:00:00Z; no record of A before 2024-03-02T00:00:00Z was given"},
	} {
		f := relatives()
		f.Dates = c.dates
		f.Dates.From = c.dates.By
		v := DefaultPolicy().Decide(f)
		require.Equal(t, Related, v.Relation)
		require.Equal(t, c.stated, v.Direction, c.story)
		require.Equal(t, c.none, v.Precedence == nil)
		if c.none {
			continue
		}
		require.Equal(t, c.direction, v.Precedence.Direction)
		require.Equal(t, c.story, v.Precedence.Story)
		require.Equal(t, c.stated != Undetermined, v.Precedence.Assumed != nil)
	}
}

// A clock that may be wrong by more than lies between two stamps orders nothing.
func TestClocksThatOverlap(t *testing.T) {
	require.Equal(t, AToB, Dates{By: [2]Time{dayOne, later}, From: [2]Time{dayOne, dayTwo}}.first())
	require.Equal(t, Undetermined, Dates{By: [2]Time{dayOne, later}, From: [2]Time{dayOne, dayOne}}.first())
	require.Equal(t, Undetermined, Dates{By: [2]Time{dayTwo, later}, From: [2]Time{dayOne, dayOne}}.first())
}

// Dates make no relation, and no direction where there is none.
func TestDatesMakeNoRelation(t *testing.T) {
	f := Facts{Dates: Dates{By: [2]Time{dayOne, dayTwo}, NoAccess: true, Disclosed: later}}
	v := DefaultPolicy().Decide(f)
	require.Equal(t, Inconclusive, v.Relation)
	require.Equal(t, Undetermined, v.Direction)
	require.NotNil(t, v.Precedence)
}

// Labels alone suffice where both files were committed before either was available
// to the other side, and then for no more than they show.
func TestCommittedLabels(t *testing.T) {
	labels := func(more ...float64) Facts {
		f := Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.1)}}
		for _, g := range more {
			f.Evidence = append(f.Evidence, gainsOf(g))
		}
		return f
	}
	committed := Dates{By: [2]Time{dayOne, dayTwo}, Disclosed: later}
	for _, c := range []struct {
		name     string
		facts    Facts
		dates    Dates
		relation Relation
	}{
		{"no dates", labels(0.9), Dates{}, Inconclusive},
		{"one of them", labels(0.9), Dates{By: [2]Time{dayOne, ""}, Disclosed: later}, Inconclusive},
		{"one too late", labels(0.9), Dates{By: [2]Time{dayOne, later}, Disclosed: later}, Inconclusive},
		{"nothing said of disclosure", labels(0.9), Dates{By: [2]Time{dayOne, dayTwo}}, Inconclusive},
		{"both", labels(0.9), committed, Related},
		{"both, among very many", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -12), likenessOf(0.1), gainsOf(0.9)}}, Dates{By: committed.By, Disclosed: later, Variants: 1e6}, Inconclusive},
		{"both, among a few", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -12), likenessOf(0.1), gainsOf(0.9)}}, Dates{By: committed.By, Disclosed: later, Variants: 10}, Related},
		{"both, of one seed", labels(0.1), committed, SharedInit},
		{"both, nothing learned could be asked", labels(), committed, SharedInit},
	} {
		c.facts.Dates = c.dates
		v := DefaultPolicy().Decide(c.facts)
		require.Equal(t, c.relation, v.Relation, c.name)
		if c.relation == Inconclusive {
			require.Contains(t, v.Alternatives, arranged, c.name)
			continue
		}
		require.NotContains(t, v.Alternatives, arranged)
		require.Contains(t, v.Alternatives, "an arrangement by somebody who had the other file before 2024-04-01T00:00:00Z, or one of several variants that were committed to")
		require.Contains(t, fmt.Sprint(v.Because), fmt.Sprintf("p was multiplied by %d,", 1+c.dates.Variants))
	}
}
