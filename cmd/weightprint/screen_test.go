package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

// compare prints one screen; -v prints everything; files are whole and leave the
// verdict on the terminal; -q is one line.
func TestCompareFillsOneScreen(t *testing.T) {
	dir := demoModels(t)
	a, b, file := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "r.txt")
	brief := exits(t, 0, "compare", a, b)
	require.LessOrEqual(t, strings.Count(brief, "\n"), 24)
	require.Contains(t, brief, "\nhow sure ")
	whole := exits(t, 0, "compare", a, b, "-v")
	require.Contains(t, whole, "\nmade by ")
	require.Contains(t, whole, "\nH0    ")

	code, out, stderr := call("compare", a, b, "-o", file)
	require.Zero(t, code)
	require.Empty(t, out)
	require.Equal(t, 1, strings.Count(stderr, "\n"))
	require.Contains(t, stderr, "related (exact, p <= 1e-527)")
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, whole, string(written))

	code, out, stderr = call("compare", a, b, "-q", "-o", file)
	require.Zero(t, code)
	require.Equal(t, 1, strings.Count(out, "\n"))
	require.Empty(t, stderr)

	code, _, stderr = call("compare", a, b, "-q", "-v")
	require.Equal(t, exitUsage, code, stderr)
}

// Every step that a verdict names is a command that this program takes.
func TestStepsAreCommands(t *testing.T) {
	for _, step := range verdict.Steps() {
		words, command := verdict.StepWords(step, [2]string{})
		require.NotEmpty(t, words, step)
		require.NotContains(t, words, "weightprint", step)
		fields := strings.Fields(command)
		require.Greater(t, len(fields), 2, step)
		c, rest, err := rootCommand(nil, nil).Find(fields[1:])
		require.NoError(t, err, step)
		require.True(t, c.HasParent(), step)
		require.NoError(t, c.ParseFlags(rest), step)
		require.NoError(t, c.Args(c, c.Flags().Args()), step)
	}
}
