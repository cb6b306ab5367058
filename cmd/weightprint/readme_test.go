package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The output of the demo in the README is that of the demo.
func TestReadmeShowsTheDemo(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	code, out, _ := call("demo")
	require.Zero(t, code)
	for _, line := range strings.Split(out, "\n") {
		if line != "" {
			require.Contains(t, string(raw), "    "+line+"\n")
		}
	}
}

// Every verb and flag that the README names is there.
func TestReadmeNamesRealVerbs(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	root := rootCommand(nil, nil)
	for _, m := range regexp.MustCompile(`(?m)^    weightprint ([a-z]+)(.*)$`).FindAllStringSubmatch(string(raw), -1) {
		c, _, err := root.Find([]string{m[1]})
		require.NoError(t, err, m[0])
		require.Equal(t, m[1], c.Name())
		for _, f := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(m[2], -1) {
			require.True(t, c.Flags().Lookup(f[1]) != nil || c.PersistentFlags().Lookup(f[1]) != nil || c.InheritedFlags().Lookup(f[1]) != nil, "%s --%s", m[1], f[1])
		}
	}
}
