package report_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	htmlreport "github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/verdict"
)

// zooDir holds trained networks and what was made of them, where the machine has it.
const zooDir = "../../shared/zoo"

// The picture of a disguised copy's layers stands in the coordinates that decided, and
// that of an ordinary fine-tune in those of the files. Where only the tokens show the
// units, as after long training, its diagonal is what the test counted.
func TestLayersOfADisguisedCopy(t *testing.T) {
	for child, seen := range map[string][2]string{
		"r1-cpt":          {verdict.FixedPoints, "files"},
		"r1-obf-residrot": {verdict.FixedPoints, "tokens"},
		"r1-cpt-obf-all":  {verdict.HeldOutAgreement, "other layers"},
		"r1-cpt2-obf-all": {verdict.Agreement, "tokens"},
	} {
		a, b := filepath.Join(zooDir, "r1"), filepath.Join(zooDir, child)
		if _, err := os.Stat(b); err != nil {
			t.Skip("no models at " + zooDir)
		}
		r, err := report.Compare(context.Background(), a, b, nil)
		require.NoError(t, err)
		s := r.LayerScores
		require.Equal(t, seen, [2]string{s.How, s.Coordinates}, child)
		for j, row := range s.Counts {
			for i, n := range row {
				if s.A[i] == s.B[j] {
					require.Greater(t, 2*n, s.Units, "%s layer %d", child, s.B[j])
				} else {
					require.Less(t, 4*n, s.Units)
				}
			}
		}
		require.Contains(t, s.Title(), "every layer of B has its own layer of A")
		if s.How == verdict.Agreement {
			sameAsTested(t, r)
		}
	}
}

// sameAsTested holds the diagonal of the picture against what the test counted, which
// leaves layer 0 out.
func sameAsTested(t *testing.T, r *report.Report) {
	s, diagonal := r.LayerScores, 0
	for j, layer := range s.B {
		if layer > 0 {
			diagonal += s.Counts[j][slices.Index(s.A, layer)]
		}
	}
	at := slices.IndexFunc(r.Evidence, func(e report.Evidence) bool { return e.Test == verdict.Agreement && e.Axis == "mlp (anchored)" })
	require.EqualValues(t, r.Evidence[at].Statistic, diagonal)
	var md, html strings.Builder
	require.NoError(t, r.WriteMarkdown(&md))
	require.NoError(t, htmlreport.Write(r, &html))
	require.Contains(t, md.String(), "| layer of B | of A: 0 | of A: 1 |")
	for _, form := range []string{md.String(), html.String()} {
		require.Contains(t, form, "Seen through the tokens that both have, every layer of B has its own layer of A")
	}
	require.Contains(t, html.String(), ">layer of A<")
}
