package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an index lost is said, by searches and checks.
func TestIndexWithLostCommit(t *testing.T) {
	models, file := demoModels(t), filepath.Join(t.TempDir(), "x.wpi")
	base := filepath.Join(models, "base")
	code, _, stderr := call("index", "add", "--index", file, base)
	require.Zero(t, code, stderr)
	code, out, _ := call("index", "check", "--index", file)
	require.Zero(t, code, out)
	require.Regexp(t, `\nrelation +log10 p +units alike +entry\nidentical +-`, exits(t, 0, "index", "search", "--index", file, base))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	b[16] ^= 1 // commit 2 is in the slot at byte 0
	require.NoError(t, os.WriteFile(file, b, 0o600))
	code, out, _ = call("index", "check", "--index", file)
	require.Equal(t, exitMismatch, code)
	require.Contains(t, out, "offset 0")
	_, out, stderr = call("index", "search", "--index", file, "--json", base)
	require.Contains(t, stderr, "the last commit may be lost")
	require.Regexp(t, `"lost": \[\n +".*the last commit may be lost`, out)
}

func TestIndexWithoutHeaderOrDetails(t *testing.T) {
	models, file := demoModels(t), filepath.Join(t.TempDir(), "x.wpi")
	base := filepath.Join(models, "base")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, line := range [][]string{{"list"}, {"check"}, {"search", base}} {
		code, out, stderr := call(append([]string{"index", line[0], "--index", file}, line[1:]...)...)
		require.Equal(t, exitError, code, line)
		require.Empty(t, out)
		require.Contains(t, stderr, "index add begins one")
	}
	code, _, stderr := call("index", "add", "--index", file, base)
	require.Zero(t, code, stderr)
	require.NoError(t, os.Remove(file+".details"))
	for _, line := range [][]string{{"list"}, {"search", base}, {"add", base}} {
		code, _, stderr := call(append([]string{"index", line[0], "--index", file}, line[1:]...)...)
		require.Equal(t, exitError, code, line)
		require.Contains(t, stderr, "belongs beside the index")
		require.NotContains(t, stderr, "a model is a file")
	}
}

// A difference is not written as what it cannot be.
func TestDiffRefusesForms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.png")
	code, _, stderr := call("diff", "a", "b", "-o", file)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "-o FILE.svg")
	require.NoFileExists(t, file)
}
