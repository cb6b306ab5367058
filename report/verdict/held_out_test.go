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
