package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity"
)

// Sets of units that sum to zero turn leading directions for nothing: beside units
// that agree in held-out layers these settle no shared initialisation.
func TestLeadingDirectionsSettleNothingBesideHeldOutAgreement(t *testing.T) {
	for share, relation := range map[float64]Relation{1: Related, 0.4: SharedInit} {
		cosine := effect(HeldOutCosine, 0.9, 1024)
		cosine.Statistic = 0.4
		v := Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect(HeldOutAgreement, share, 1024), cosine, throughTokens(0.29)}})
		require.Equal(t, relation, v.Relation, "%v", v.Because)
		require.NotContains(t, v.Statement, "nothing that training learned was found")
		require.Contains(t, v.Alternatives, passenger)
	}
}

// Networks of one seed that were trained a little agree in all units, and their leading
// directions carry over less than others; of a copy to which sets of units were added that
// turn directions the units themselves are the same.
func TestTurnedDirectionsBesideHeldOutAgreement(t *testing.T) {
	turned := throughTokens(0.74)
	turned.Effect = 0.91
	for alike, relation := range map[float64]Relation{0.88: SharedInit, 0.99: Related} {
		cosine := effect(HeldOutCosine, alike, 1024)
		cosine.Statistic = 0.4
		v := Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect(HeldOutAgreement, 1, 1024), cosine, turned}})
		require.Equal(t, relation, v.Relation, "%v", v.Because)
		require.Equal(t, relation == SharedInit, v.MoreIsOpen())
	}
}

// Gains that agree, and as they act on the units that were read do not or cannot be told,
// ask for more units.
func TestActingGainsAskForAnotherLook(t *testing.T) {
	for name, c := range map[string]struct {
		acts, expected float64
		open           bool
	}{"as they act, too": {0.4, 0.8, false}, "as they act, not": {0.04, 0.8, true}, "too much scatter": {0.12, 0.15, true}} {
		f := Facts{Evidence: append([]similarity.Evidence{exactEvidence("mlp", -500), leadsOf(0.8)}, onUnits(manyGains(0.9), c.acts, c.expected)...)}
		require.Equal(t, c.open, f.OriginOpen(-30), name)
	}
}
