package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/adversary"
)

// A population descends from the models of its zoo, can be opened, and follows from its
// seed.
func TestPopulationDescends(t *testing.T) {
	from := t.TempDir()
	root := adversary.New(rand.New(rand.NewPCG(1, 1)), adversary.Build{Layers: 2, Hidden: 32, Width: 64, Heads: 2, KV: 1, Dim: 16, Vocab: 32})
	require.NoError(t, root.Write(filepath.Join(from, "root")))
	text, err := json.Marshal(map[string]any{"models": []*member{{Name: "root", Path: "root", Relation: "root"}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(from, "manifest.json"), text, 0o600))
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		require.NoError(t, populate(context.Background(), from, dir, 24, 7))
	}
	all, err := readManifest(dirs[0])
	require.NoError(t, err)
	require.Len(t, all, 24)
	known, relations := map[string]bool{}, map[string]bool{}
	for _, m := range all {
		for _, p := range m.Parents {
			require.True(t, known[p], "%s is made of what was there before", m.Name)
		}
		known[m.Name], relations[m.Relation] = true, true
		c, err := formats.Open(context.Background(), filepath.Join(dirs[0], m.Path), nil)
		require.NoError(t, err)
		c.Close()
		one, err := os.ReadFile(filepath.Join(dirs[0], m.Path, "model.safetensors"))
		require.NoError(t, err)
		other, err := os.ReadFile(filepath.Join(dirs[1], m.Path, "model.safetensors"))
		require.NoError(t, err)
		require.True(t, string(one) == string(other), m.Name)
	}
	require.Greater(t, len(relations), len(editions)/2)
}
