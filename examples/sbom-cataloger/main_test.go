package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

func TestCatalog(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "opt", "copy"), 0o755))
	weights, err := os.ReadFile(filepath.Join(dir, "base", "model.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "opt", "copy", "renamed.safetensors"), weights, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "opt", "notes.txt"), []byte("no model"), 0o600))

	packages, same, err := Catalog(context.Background(), dir)
	require.NoError(t, err)
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
		require.Positive(t, p.Parameters)
		require.NotEmpty(t, p.Files)
	}
	require.Equal(t, []string{"base", "fine-tune", "fine-tune-q8_0", "opt/copy", "other-seed"}, names)
	require.Equal(t, []Relationship{{"opt/copy", "base", "copy-of"}}, same)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "opt", "copy", "renamed.safetensors"), weights[:1000], 0o600))
	packages, _, err = Catalog(context.Background(), dir)
	require.Error(t, err)
	require.Len(t, packages, 4)
	var out bytes.Buffer
	require.Error(t, run(nil, &out))
	require.Error(t, run([]string{dir}, &out))
	require.Contains(t, out.String(), `"name": "base"`)
}
