package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/index"
)

// An audit names relatives among known models, and decides no claim by them.
func TestAuditAmongKnownModels(t *testing.T) {
	dir := demoModels(t)
	known, base, tuned := filepath.Join(dir, "known.wpi"), filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	exits(t, 0, "index", "add", "--index", known, base, filepath.Join(dir, "other-seed"))
	require.Contains(t, exits(t, 0, "audit", tuned, "--known", known), "among known models: searched 2 entries, 1 hits")
	var with, without map[string]any
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "audit", tuned, "--json", "--nonce", "x", "--known", known)), &with))
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "audit", tuned, "--json", "--nonce", "x")), &without))
	hits := with["known"].(map[string]any)["hits"].([]any)
	require.Len(t, hits, 1)
	require.Equal(t, "base", hits[0].(map[string]any)["name"])
	delete(with, "known")
	require.Equal(t, without, with)
	exits(t, exitError, "audit", tuned, "--known", filepath.Join(dir, "none"))
}

// The index of known models that comes with the sources is whole, small, and what its
// manifest says.
func TestBaseIndex(t *testing.T) {
	folder := filepath.Join("..", "..", "data", "baseindex")
	raw, err := os.ReadFile(filepath.Join(folder, "base.json"))
	require.NoError(t, err)
	var manifest struct {
		Entries []struct{ Name, Root, Licence, Source, SHA256 string }
	}
	require.NoError(t, json.Unmarshal(raw, &manifest))
	x, err := index.Open(filepath.Join(folder, "base.wpi"))
	require.NoError(t, err)
	defer x.Close()
	bad, err := x.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, bad)
	require.Len(t, manifest.Entries, x.Len())
	require.Greater(t, x.Len(), 15)
	for i, want := range manifest.Entries {
		e, err := x.Entry(i)
		require.NoError(t, err)
		require.Equal(t, want.Name, e.Name)
		require.Equal(t, want.Root, e.Fingerprint.Root.String())
		require.NotEmpty(t, want.Licence)
		require.Len(t, want.SHA256, 64)
		require.Contains(t, want.Source, "https://pypi.org/project/")
	}
	size := int64(0)
	for _, name := range []string{"base.wpi", "base.wpi.details"} {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		size += info.Size()
	}
	require.Less(t, size, int64(1<<20))
}
