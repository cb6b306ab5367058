package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	at := func(name string) string { return filepath.Join(dir, name) }
	var out bytes.Buffer
	require.NoError(t, run([]string{at("base"), at("fine-tune"), at("fine-tune-q8_0")}, &out))
	require.Contains(t, out.String(), "quantised")
}
