package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
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

// The verdict on the first screen of the README is that of the program.
func TestReadmeShowsAVerdict(t *testing.T) {
	raw, err := os.ReadFile(absolute(t, "../../README.md"))
	require.NoError(t, err)
	readmeModels(t)
	_, rest, found := strings.Cut(string(raw), "    $ weightprint compare base/ suspect/\n")
	require.True(t, found)
	excerpt, _, _ := strings.Cut(rest, "\n\n")
	out := exits(t, 0, "compare", "base/", "suspect/")
	for _, line := range strings.Split(excerpt, "\n") {
		if line = strings.TrimPrefix(line, "    "); line != "…" {
			require.Contains(t, out, line+"\n")
		}
	}
}

// command matches a command in a code block, with or without a prompt,
// installed or run from the source.
var command = regexp.MustCompile(`^(?:\$ )?(?:weightprint|go run \./cmd/weightprint) +([a-z].*)$`)

// code lists the lines of a document that stand in indented or fenced blocks.
func code(document string) (out []string) {
	fenced := false
	for _, line := range strings.Split(document, "\n") {
		indented, ok := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
			out = append(out, line)
		case ok:
			out = append(out, indented)
		}
	}
	return out
}

// shown lists the commands that a document shows, without what explains
// them.
func shown(t *testing.T, file string) (out [][]string) {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, line := range code(string(raw)) {
		m := command.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		line, _, _ = strings.Cut(m[1], "    ") // a remark stands far to the right
		line, _, _ = strings.Cut(line, " #")
		line, _, _ = strings.Cut(line, " > ")
		line, _, _ = strings.Cut(line, " | ")
		out = append(out, strings.Fields(line))
	}
	return out
}

// documents are the README and everything in docs.
func documents(t *testing.T) []string {
	docs, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, docs)
	return append(docs, "../../README.md")
}

// Every verb and flag that the documents name is there.
func TestDocumentsNameRealVerbs(t *testing.T) {
	n := 0
	for _, doc := range documents(t) {
		for _, words := range shown(t, doc) {
			c, rest, err := rootCommand(nil, nil).Find(words)
			require.NoError(t, err, "%s: %v", doc, words)
			require.True(t, c.HasParent(), "%s: %v names no verb", doc, words)
			require.NoError(t, c.ParseFlags(rest), "%s: %v", doc, words)
			n++
		}
	}
	require.Greater(t, n, 10)
}

// readmeModels lays out files under the names that the README uses.
func readmeModels(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	t.Chdir(dir)
	gguf, err := filepath.Glob("fine-tune-q8_0/*.gguf")
	require.NoError(t, err)
	require.Len(t, gguf, 1)
	for from, names := range map[string]string{"base": "model parent-a models/a", "fine-tune": "suspect release merged parent-b models/b", gguf[0]: "suspect.gguf"} {
		for _, to := range strings.Fields(names) {
			require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
			require.NoError(t, os.Symlink(absolute(t, from), to))
		}
	}
	require.NoError(t, os.WriteFile("claim.json", []byte(`{"parent":"base/"}`), 0o600))
	writeKeys(t)
	code, _, stderr := call("fingerprint", "release", "-o", "other.wfp")
	require.Zero(t, code, stderr)
}

// writeKeys makes the key pair that the README signs and verifies with.
func writeKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	open, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	require.NoError(t, os.WriteFile("pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o600))
}

func absolute(t *testing.T, path string) string {
	abs, err := filepath.Abs(path)
	require.NoError(t, err)
	return abs
}

// Every command of the README runs, in its order, on small models.
func TestReadmeCommandsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every command")
	}
	all := shown(t, absolute(t, "../../README.md"))
	require.NotEmpty(t, all)
	readmeModels(t)
	for _, words := range all {
		args := []string{}
		for _, w := range words {
			if w == "NAME" {
				w = "model.norm.weight"
			}
			if found, _ := filepath.Glob(w); strings.Contains(w, "*") && found != nil {
				args = append(args, found...)
				continue
			}
			args = append(args, w)
		}
		code, _, stderr := call(args...)
		want := []int{exitDone}
		if strings.Contains(strings.Join(words, " "), "--fail-on") {
			want = append(want, exitFinding)
		}
		require.Contains(t, want, code, "%v: %s", words, stderr)
	}
}
