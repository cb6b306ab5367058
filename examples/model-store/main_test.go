package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	at := func(name string) string { return filepath.Join(dir, name) }
	ctx, store := context.Background(), at("store")
	var out bytes.Buffer
	require.NoError(t, run(ctx, []string{store, at("base"), at("fine-tune"), at("base/model.safetensors"), at("other-seed")}, &out))
	lines := strings.Split(out.String(), "\n")
	require.Contains(t, lines[0], "base: stored")
	require.Contains(t, lines[1], "stored; related with base")
	require.Contains(t, lines[2], "the values of base already")
	require.Contains(t, lines[3], "stored; no-evidence with base; no-evidence with fine-tune")

	out.Reset()
	require.NoError(t, run(ctx, []string{store, at("fine-tune-q8_0")}, &out)) // opened anew
	require.Contains(t, out.String(), "reencoded with fine-tune")
	left, err := filepath.Glob(filepath.Join(store, "incoming-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	blobs, err := os.ReadDir(filepath.Join(store, "blobs"))
	require.NoError(t, err)
	require.Less(t, len(blobs), 10) // what two models share is there once
	require.Error(t, run(ctx, nil, &out))
}
