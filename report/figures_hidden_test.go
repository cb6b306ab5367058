package report_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// zooDir holds trained networks and what was made of them, where the machine has it.
const zooDir = "../../shared/zoo"

// The picture of a disguised copy's layers stands in the coordinates that decided, and
// that of an ordinary fine-tune in those of the files.
func TestLayersOfADisguisedCopy(t *testing.T) {
	for child, how := range map[string]string{"r1-cpt-obf-all": verdict.HeldOutAgreement, "r1-cpt": verdict.FixedPoints} {
		a, b := filepath.Join(zooDir, "r1"), filepath.Join(zooDir, child)
		if _, err := os.Stat(b); err != nil {
			t.Skip("no models at " + zooDir)
		}
		r, err := report.Compare(context.Background(), a, b, nil)
		require.NoError(t, err)
		require.Equal(t, how, r.LayerScores.How, child)
		for j, row := range r.LayerScores.Counts {
			for i, n := range row {
				if r.LayerScores.A[i] == r.LayerScores.B[j] {
					require.Greater(t, 2*n, r.LayerScores.Units, "%s layer %d", child, r.LayerScores.B[j])
				} else {
					require.Less(t, 4*n, r.LayerScores.Units)
				}
			}
		}
	}
}
