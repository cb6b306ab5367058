//go:build manual

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every verb has a page that shows its flags and examples, the same in every
// run.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dir := filepath.Join(t.TempDir(), "man")
	exits(t, 0, "man", dir)
	for _, c := range rootCommand(nil, nil).Commands() {
		if c.Hidden || !c.IsAvailableCommand() { // help among them
			continue
		}
		page, err := os.ReadFile(filepath.Join(dir, "weightprint-"+c.Name()+".1"))
		require.NoError(t, err)
		require.Contains(t, string(page), ".SH SYNOPSIS")
		if c.HasAvailableLocalFlags() {
			require.Contains(t, string(page), ".SH OPTIONS", c.Name())
		}
		if c.Example != "" {
			require.Contains(t, string(page), ".SH EXAMPLE", c.Name())
		}
		again := filepath.Join(t.TempDir(), "again")
		exits(t, 0, "man", again)
		other, err := os.ReadFile(filepath.Join(again, "weightprint-"+c.Name()+".1"))
		require.NoError(t, err)
		require.Equal(t, string(page), string(other))
	}
	require.FileExists(t, filepath.Join(dir, "weightprint.1"))
	page, err := os.ReadFile(filepath.Join(dir, "weightprint-compare.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), "hf:org/name[@revision][:file] (the hub's cache", "a text is no markup")
	exits(t, 64, "man")
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		require.Contains(t, exits(t, 0, "completion", shell), "weightprint")
	}
	require.Contains(t, exits(t, 0, "__complete", "com"), "compare\t")
}
