package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/hostile"
)

// The pictures in docs are those that make docs draws, small and inactive.
func TestPicturesAreCurrent(t *testing.T) {
	const docs = "../../docs/pictures"
	dir := t.TempDir()
	require.NoError(t, drawPictures(docs, dir))
	total := 0
	for _, d := range drawings {
		want, err := os.ReadFile(filepath.Join(dir, d.to))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(docs, d.to))
		require.NoError(t, err)
		require.True(t, string(want) == string(got), "%s: run make docs", d.to)
		require.NoError(t, hostile.Check("svg", string(got)))
		total += len(got)
	}
	require.Less(t, total, 200<<10)
}
