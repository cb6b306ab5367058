package report_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
)

// Progress names every stage once and in order, its totals hold, and telling it
// changes no byte of the report.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	a, b := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	for _, o := range []report.Options{{}, {Budget: 100 << 10}, {Budget: report.Full, Depth: report.Deep}} {
		silent, err := report.Compare(context.Background(), a, b, &o)
		require.NoError(t, err)
		var all []report.Progress
		o.Progress = func(p report.Progress) { all = append(all, p) }
		told, err := report.Compare(context.Background(), a, b, &o)
		require.NoError(t, err)
		require.Equal(t, jsonOf(t, silent), jsonOf(t, told))

		var stages []string
		for i, p := range all {
			if i == 0 || p.Stage != all[i-1].Stage {
				stages = append(stages, p.Stage)
				require.Equal(t, len(stages), p.Step)
			}
			require.Equal(t, len(report.Stages()), p.Steps)
			require.LessOrEqual(t, p.Read, p.Total)
			if i > 0 {
				require.GreaterOrEqual(t, p.Read, all[i-1].Read)
			}
		}
		require.Equal(t, report.Stages(), stages)
		last := all[len(all)-1]
		require.Equal(t, told.Subjects[0].BytesRead+told.Subjects[1].BytesRead, last.Read)
		require.Positive(t, last.Read)
	}
}

// A comparison that fails tells of no stage after the one that failed.
func TestProgressEndsWithAnError(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	ctx, cancel := context.WithCancel(context.Background())
	o := &report.Options{Budget: report.Full}
	last := ""
	o.Progress = func(p report.Progress) {
		last = p.Stage
		if p.Stage == report.Stages()[1] {
			cancel()
		}
	}
	_, err := report.Compare(ctx, filepath.Join(dir, "base"), filepath.Join(dir, "other-seed"), o)
	require.ErrorIs(t, err, context.Canceled)
	require.NotEqual(t, "decide", last)
}

func jsonOf(t *testing.T, r *report.Report) string {
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	return b.String()
}
