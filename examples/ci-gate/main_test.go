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

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	at := func(name string) string { return filepath.Join(dir, name) }
	ctx := context.Background()
	var out bytes.Buffer
	require.NoError(t, run(ctx, []string{at("fine-tune"), at("other-seed")}, &out))
	require.Contains(t, out.String(), "5 of 5, decide")
	err := run(ctx, []string{at("fine-tune"), at("other-seed"), at("base")}, &out)
	require.ErrorIs(t, err, errShares)
	require.Equal(t, 1, code(err))

	cut := filepath.Join(t.TempDir(), "model.safetensors")
	whole, err := os.ReadFile(at("base/model.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o600))
	err = run(ctx, []string{at("base"), cut}, &out)
	require.Error(t, err)
	require.Equal(t, 2, code(err))
	require.Error(t, run(ctx, nil, &out))
}
