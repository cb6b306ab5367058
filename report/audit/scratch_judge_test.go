package audit

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

// A relation contradicts the claim only where the reference is the earlier one, by
// dates and an assumption.
func TestScratchNeedsDates(t *testing.T) {
	for direction, want := range map[verdict.Direction]Outcome{verdict.Undetermined: Unproven, verdict.AToB: Contradicted, verdict.BToA: Unproven} {
		c := Certificate{
			References: []Reference{{Ref: "r", Relation: verdict.Related, Direction: direction, Reached: true}},
			Components: []Certified{{Name: "mlp", Share: 1, Shared: []Sharing{{Reference: "r", Relation: verdict.Related}}}},
		}
		c.judge()
		require.Equal(t, want, c.Outcome, "%s: %v", direction, c.Because)
	}
	seed := Certificate{
		References: []Reference{{Ref: "r", Relation: verdict.SharedInit, Direction: verdict.AToB, Reached: true}},
		Components: []Certified{{Name: "mlp", Share: 1, Shared: []Sharing{{Reference: "r", Relation: verdict.SharedInit}}}},
	}
	seed.judge()
	require.Equal(t, Unproven, seed.Outcome)
}
