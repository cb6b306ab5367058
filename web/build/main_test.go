package main

import (
	"crypto/sha256"
	"encoding/base64"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page is whole: nothing is fetched, and its policy allows exactly what it holds.
func TestPage(t *testing.T) {
	p, err := parts("../..")
	require.NoError(t, err)
	b, err := p.assemble([]byte("library"), "v1<2")
	require.NoError(t, err)
	page := string(b)
	require.NotRegexp(t, regexp.MustCompile(`(src|href|action)\s*=\s*["']`), strings.ReplaceAll(page, `content="default-src`, ""))
	require.NotContains(t, page, "http-equiv=\"refresh")
	require.NotContains(t, page, "eval(")
	require.Contains(t, page, "v1&lt;2")
	require.Contains(t, page, base64.StdEncoding.EncodeToString([]byte("library")))

	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "connect-src 'none'")
	require.NotContains(t, policy, "unsafe-inline")
	require.NotContains(t, policy, "http")
	for _, tag := range []string{"script", "style"} {
		held := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		require.Len(t, held, 1, tag)
		d := sha256.Sum256([]byte(held[0][1]))
		require.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(d[:])+"'")
	}
}

// What the page calls has no means to reach a server.
func TestLibraryHasNoNetwork(t *testing.T) {
	c := exec.Command("go", "list", "-deps", "../wasm")
	c.Env = append(c.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := c.Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		require.NotContains(t, []string{"net", "net/http", "crypto/tls"}, path)
		require.False(t, strings.Contains(path, "gonum.org/v1/plot"), path)
	}
}
