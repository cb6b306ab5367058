package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var embedded = regexp.MustCompile(`(?m)^//go:embed (.+)$`)

// NOTICE states the origin of everything in the program that is not code.
func TestNoticeNamesWhatIsEmbedded(t *testing.T) {
	dir, err := root(context.Background())
	require.NoError(t, err)
	notice, err := os.ReadFile(filepath.Join(dir, "NOTICE"))
	require.NoError(t, err)
	n := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range embedded.FindAllStringSubmatch(string(text), -1) {
			for _, name := range strings.Fields(m[1]) {
				rel, err := filepath.Rel(dir, filepath.Dir(path))
				require.NoError(t, err)
				n++
				full := filepath.ToSlash(filepath.Join(rel, name))
				require.True(t, strings.Contains(string(notice), full) || strings.Contains(string(notice), name) && strings.Contains(string(notice), filepath.ToSlash(rel)), "NOTICE says nothing of %s", full)
			}
		}
		return nil
	}))
	require.Greater(t, n, 5)
}
