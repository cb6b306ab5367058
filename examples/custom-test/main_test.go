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
	var out bytes.Buffer
	require.NoError(t, run([]string{filepath.Join(dir, "base"), filepath.Join(dir, "base")}, &out))
	require.Equal(t, "identical; close-gains: 1248 of 1248\n", out.String())
	out.Reset()
	require.NoError(t, run([]string{filepath.Join(dir, "base"), filepath.Join(dir, "other-seed")}, &out))
	require.Regexp(t, `^no-evidence; close-gains: \d{1,3} of 1248\n$`, out.String())
	require.Error(t, run(nil, &out))
}
