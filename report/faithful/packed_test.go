package faithful_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/packtest"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/faithful"
)

// layouts are what honest files of each layout are found to be, and those made
// from another model of the family.
var layouts = []struct {
	layout packtest.Layout
	own    []faithful.Verdict
	other  faithful.Verdict
}{
	{packtest.Layouts[0], []faithful.Verdict{faithful.Reachable}, faithful.Undetermined}, // GPTQ without corrections: rounding
	{packtest.Corrected, []faithful.Verdict{faithful.Undetermined}, faithful.Undetermined},
	{packtest.Layouts[2], []faithful.Verdict{faithful.Reachable}, faithful.Undetermined},
	{packtest.Layouts[3], []faithful.Verdict{faithful.Reachable}, faithful.Deviates},
	{packtest.Layouts[4], []faithful.Verdict{faithful.Reachable}, faithful.Deviates},
	{packtest.Layouts[5], []faithful.Verdict{faithful.Reachable}, faithful.Deviates},
	{packtest.Layouts[6], []faithful.Verdict{faithful.Reachable}, faithful.Deviates},
}

func TestLayouts(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	source := open(t, filepath.Join(dir, "base"))
	other := open(t, filepath.Join(dir, "fine-tune"))
	config, err := os.ReadFile(filepath.Join(dir, "base", "config.json"))
	require.NoError(t, err)
	for _, l := range layouts {
		t.Run(l.layout.Name, func(t *testing.T) {
			to := t.TempDir()
			require.NoError(t, packtest.Quantise(t.Context(), to, source.Model, config, l.layout))
			q := open(t, to)
			r, err := faithful.Check(t.Context(), q, source, nil)
			require.NoError(t, err)
			require.Contains(t, l.own, r.Verdict, "%v %+v", r.Because, r.Types)
			r, err = faithful.Check(t.Context(), q, other, nil)
			require.NoError(t, err)
			for i := range r.Tensors { // norms deviate in any case
				if x := &r.Tensors[i]; x.Rows > 1 && (x.Mode == "cells" || x.Mode == "ruled") {
					require.Equal(t, l.other, x.Verdict, x.Name)
				}
			}
		})
	}
}

func open(t *testing.T, dir string) report.Input {
	t.Helper()
	c, err := formats.Open(t.Context(), dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return report.Headers(c)
}
