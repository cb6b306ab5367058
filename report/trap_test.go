package report_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// No trap leads to a wrong verdict. Networks trained for the purpose take most
// of the time, so there are fewer of them; weightprint-bench traps makes 300
// of each.
func TestTraps(t *testing.T) {
	drawn, trained := cases(3, 12, 100), cases(1, 3, 20)
	for _, trap := range zoo.Traps {
		t.Run(trap.ID+" "+trap.Name, func(t *testing.T) {
			t.Parallel()
			n := drawn
			if trap.Trained {
				n = trained
			}
			for i := range n {
				a, b := trap.Make(rand.New(rand.NewPCG(uint64(i), 0x7a9)))
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				require.NoError(t, err)
				require.Contains(t, trap.Want, string(r.Verdict.Relation), "case %d: %v", i, r.Verdict.Because)
				if trap.ID == "T12" {
					require.Subset(t, []verdict.Kind{verdict.Partial}, r.Verdict.Kinds, "case %d", i)
					for _, c := range r.Components {
						require.Equal(t, strings.HasPrefix(c.Name, "vision."), c.Relation == verdict.Related || c.Relation == verdict.Identical, "case %d: %s is %s", i, c.Name, c.Relation)
					}
				}
			}
		})
	}
}
