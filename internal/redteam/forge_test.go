package redteam_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/redteam"
	"github.com/weightprint/weightprint/report"
)

// demoInput opens one of the demonstration's models.
func demoInput(t *testing.T, dir, name string) report.Input {
	c, err := formats.Open(context.Background(), filepath.Join(dir, name), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return report.FromCheckpoint(context.Background(), c)
}

// So are forged signs of tokens, which cost nothing.
func TestForgedTokensScreenAndAreRefuted(t *testing.T) {
	r, err := redteam.ForgedTokens(context.Background(), 512)
	require.NoError(t, err)
	t.Log(r)
	require.True(t, r.Holds)
	require.Contains(t, r.Outcome, "index: screening hit")
}

// A forged sketch is a screening hit, and the weights give it away.
func TestForgedSketchScreensAndIsRefuted(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	r, err := redteam.ForgedSketch(context.Background(), demoInput(t, dir, "base"), demoInput(t, dir, "other-seed"), redteam.Forging{Units: 7, Wrong: 24}, "demo")
	require.NoError(t, err)
	t.Log(r)
	require.True(t, r.Holds)
	require.Contains(t, r.Outcome, "index: screening hit")
	require.Contains(t, r.Outcome, "fingerprints: inconclusive, lead true")
	require.Contains(t, r.Outcome, "weights: no-evidence")
}
