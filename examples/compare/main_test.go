package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	require.ErrorContains(t, run([]string{filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")}), "have a common origin")
	require.NoError(t, run([]string{filepath.Join(dir, "base"), filepath.Join(dir, "other-seed")}))
	require.Error(t, run(nil))
	require.ErrorContains(t, run([]string{dir, "absent"}), "folder")
}
