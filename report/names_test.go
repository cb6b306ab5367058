package report_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// The names that verdicts go by are those under which the suite gives its
// results: a name that no test gives would make a rule that never applies.
func TestSuiteGivesTheNamesOfVerdicts(t *testing.T) {
	given := map[string]bool{}
	dir := models(t)
	for _, other := range []string{"fine-tune", "other-seed"} {
		r := compare(t, filepath.Join(dir, "base"), filepath.Join(dir, other), &report.Options{Depth: report.Deep})
		for _, e := range r.Evidence {
			given[e.Test] = true
		}
	}
	for _, name := range verdict.TestNames() {
		require.True(t, given[name], "no test gives %s", name)
	}
}
